import type { Output, RunRequest } from "./boundary.js";
import { callBack } from "./callback.js";
import { aborted } from "./common_errors.js";
import { AbortedError, InterruptedError, isTaipanError, type TaipanError, TimeoutError } from "./errors.js";
import type { Interpreter } from "./interpreter.js";
import { appendOutput } from "./output.js";

/** How to run a piece of code. */
export interface RunOptions {
  /** Plain data (whatever can be structured-cloned) to be set as global variables before the run. */
  globals?: Record<string, unknown>;
  /** The name of the code in tracebacks. Default: `"<exec>"`. */
  filename?: string;
  /** Interrupts the run when it aborts; the run then rejects with `AbortedError`. */
  signal?: AbortSignal;
  /**
   * Interrupts the code when it has run longer than this, in milliseconds; the run then rejects with `TimeoutError`.
   * Fetching the packages that the code imports is not counted. Default: no limit.
   */
  timeoutMs?: number;
  /** Called for each piece of output as it happens. Pieces of one stream are not joined. */
  onOutput?: (output: Output) => void;
}

/** What a run ended in. */
export interface RunResult {
  /** The last expression as plain data; absent where there is none, or it is `None`, or it has no such form. */
  value?: unknown;
  /** All that was put out, in order; neighbouring text of the same stream is joined. */
  outputs: Output[];
}

/** Milliseconds that code which can only be stopped by ending the worker has to end by itself. */
const RESTART_GRACE = 300;
/** Milliseconds that the engine has to notice that a run has timed out, and then to be interrupted. */
const TIMEOUT_GRACE = 1000;
/** What `setTimeout` can wait at most; it would fire at once for more. */
const LONGEST_TIMER = 2 ** 31 - 1;

type StopReason = "interrupt" | "timeout" | "abort";

/** A run that is under way on the page's side: its limits, its outputs, and how it is stopped. */
export class Run {
  readonly #interpreter: Interpreter;
  readonly #request: RunRequest;
  readonly #options: RunOptions;
  readonly #replace: (reason: TaipanError) => void;
  readonly #outputs: Output[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #id: number | undefined;
  #stop: StopReason | undefined;

  /** `replace` ends the interpreter with a reason and starts another. */
  constructor(
    interpreter: Interpreter,
    request: RunRequest,
    options: RunOptions,
    replace: (reason: TaipanError) => void,
  ) {
    this.#interpreter = interpreter;
    this.#request = request;
    this.#options = options;
    this.#replace = replace;
  }

  /** Runs to the end. */
  async toEnd(): Promise<RunResult> {
    const { signal } = this.#options;
    const onAbort = () => this.stop("abort");
    const unlisten = this.#interpreter.listen(this.#request.run, {
      onStart: () => this.#limit(),
      onOutput: (output) => {
        appendOutput(this.#outputs, output);
        callBack(this.#options.onOutput, output);
      },
    });
    signal?.addEventListener("abort", onAbort);
    try {
      const { id, result } = this.#interpreter.connection.call("run", [this.#request]);
      this.#id = id;
      const end = await result;
      if (this.#stop === "abort") {
        throw aborted("the run", signal?.reason);
      }
      return { ...end, outputs: this.#outputs };
    } catch (error) {
      throw this.#explain(error);
    } finally {
      for (const timer of this.#timers) {
        clearTimeout(timer);
      }
      signal?.removeEventListener("abort", onAbort);
      unlisten();
    }
  }

  /**
   * Makes the run end. Where memory is shared Python gets KeyboardInterrupt; where it is not, or where it does not get
   * out of what it does (`timeout`), the interpreter is replaced after a grace.
   */
  stop(reason: StopReason): void {
    if (this.#id === undefined) {
      return;
    }
    this.#stop ??= reason;
    this.#interpreter.interrupt(this.#request.run, this.#id);
    if (!this.#interpreter.canInterrupt) {
      this.#after(RESTART_GRACE, () => this.#replace(replaced()));
    } else if (reason === "timeout") {
      this.#after(TIMEOUT_GRACE, () => this.#replace(replaced()));
    }
  }

  /** The engine itself looks at the clock while Python computes; this is for code that does not let it. */
  #limit(): void {
    const { timeoutMs } = this.#options;
    if (timeoutMs !== undefined) {
      this.#after(timeoutMs + TIMEOUT_GRACE, () => this.stop("timeout"));
    }
  }

  #after(milliseconds: number, action: () => void): void {
    if (milliseconds <= LONGEST_TIMER) {
      this.#timers.add(setTimeout(action, milliseconds));
    }
  }

  /** The error for how the run ended, given what it was stopped for. */
  #explain(error: unknown): unknown {
    if (this.#stop === undefined || !isTaipanError(error) || UNSTOPPED.has(error.code)) {
      return error;
    }
    const restarted = error instanceof InterruptedError && error.restarted;
    if (this.#stop === "abort") {
      return error.code === "ABORTED"
        ? error
        : new AbortedError({
            code: "ABORTED",
            message: "the run was aborted",
            hint: restarted ? GONE : undefined,
            cause: this.#options.signal?.reason ?? error,
            restarted,
          });
    }
    if (this.#stop === "interrupt") {
      return error.code === "INTERRUPTED" ? error : new InterruptedError({ ...INTERRUPTED, cause: error });
    }
    return error.code === "TIMEOUT"
      ? error
      : new TimeoutError({
          code: "TIMEOUT",
          message: `the code took longer than ${this.#options.timeoutMs} ms and was stopped`,
          hint: restarted ? GONE : undefined,
          cause: error,
          restarted,
        });
  }
}

/** What a run ends with whether or not it was stopped. */
const UNSTOPPED = new Set(["FATAL", "WORKER", "DISPOSED"]);

const INTERRUPTED = { code: "INTERRUPTED", message: "the code was interrupted" } as const;

const GONE = "Python was restarted to stop the code: variables, files and packages of before are gone.";

/** Why an interpreter had to make way for another. */
export function replaced(message = "the code was interrupted by restarting Python"): TaipanError {
  return new InterruptedError({ code: "INTERRUPTED", message, hint: GONE, restarted: true });
}
