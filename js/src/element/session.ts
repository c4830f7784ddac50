import type { Output, Progress } from "../boundary.js";
import { aborted } from "../common_errors.js";
import { AbortedError, InterruptedError, isTaipanError } from "../errors.js";
import { type LoadPythonOptions, loadPython } from "../load.js";
import type { Python } from "../python.js";
import { Queue } from "../queue.js";
import type { RunResult } from "../run.js";

/** What a cell does while its code has the turn. */
export interface Turn {
  onStart(): void;
  onOutput(output: Output): void;
  onProgress(progress: Progress): void;
  ask(prompt: string, signal: AbortSignal): Promise<string | null>;
}

/** An interpreter that cells share. It starts with the first run, as that run's cell asks for it. */
export class Session {
  static readonly #byName = new Map<string, Session>();
  readonly #queue = new Queue();
  #python: Promise<Python> | undefined;
  #turn: Turn | undefined;
  /** How often the variables of the runs before were lost. */
  #losses = 0;
  #isBroken = false;

  /** The session of this name. */
  static named(name: string): Session {
    let session = Session.#byName.get(name);
    if (session === undefined) {
      session = new Session();
      Session.#byName.set(name, session);
    }
    return session;
  }

  /** Runs code when the runs before it have ended. One whose variables were lost while it waited rejects. */
  run(code: string, filename: string, options: LoadPythonOptions, signal: AbortSignal, turn: Turn): Promise<RunResult> {
    const losses = this.#losses;
    return this.#queue.add("the run", signal, async () => {
      if (losses !== this.#losses) {
        throw new InterruptedError({
          code: "INTERRUPTED",
          message: "Python was restarted before it was this cell's turn",
          hint: "What earlier cells have defined is gone: run them again.",
          restarted: true,
        });
      }
      this.#turn = turn;
      try {
        const python = await this.#start(options, signal);
        if (this.#isBroken) {
          await unlessAborted(python.restart(), signal);
          this.#isBroken = false;
        }
        turn.onStart();
        return await python.run(code, { filename, signal, onOutput: turn.onOutput });
      } catch (error) {
        this.#note(error);
        throw error;
      } finally {
        this.#turn = undefined;
      }
    });
  }

  /** The interpreter, once it has been started. */
  get python(): Promise<Python> | undefined {
    return this.#python;
  }

  #start(options: LoadPythonOptions, signal: AbortSignal): Promise<Python> {
    this.#python ??= loadPython({
      ...options,
      signal,
      stdin: (prompt, stopped) => this.#turn?.ask(prompt, stopped) ?? null,
      onProgress: (progress) => this.#turn?.onProgress(progress),
    }).catch((error) => {
      // The next run tries again.
      this.#python = undefined;
      throw error;
    });
    return this.#python;
  }

  #note(error: unknown): void {
    // Where there is no interpreter nothing can be broken: the next run starts one.
    const isBroken = this.#python !== undefined && isBreakdown(error);
    const wasReplaced = (error instanceof AbortedError || error instanceof InterruptedError) && error.restarted;
    this.#isBroken ||= isBroken;
    if (isBroken || wasReplaced) {
      this.#losses += 1;
    }
  }
}

/** Whether an interpreter that failed in this way answers nothing more until it is restarted. */
export function isBreakdown(error: unknown): boolean {
  return isTaipanError(error, "FATAL") || isTaipanError(error, "WORKER");
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(aborted("the run", signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
    }
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
