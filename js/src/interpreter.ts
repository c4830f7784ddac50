import type {
  BootOptions,
  KnownFile,
  KnownFiles,
  Notice,
  Output,
  Progress,
  StoreBackend,
  Timings,
} from "./boundary.js";
import { callBack } from "./callback.js";
import { aborted } from "./common_errors.js";
import { Connection } from "./connection.js";
import { EarlyFiles } from "./early_files.js";
import type { TaipanError } from "./errors.js";
import { canRehearse } from "./features.js";
import { Input, type Stdin } from "./input.js";
import { noteFiles, recallFiles } from "./known_files.js";
import type { BootEnd, HostOptions, WorkerEvent } from "./protocol.js";
import { Rehearsal } from "./rehearsal.js";
import { evaluateAgain } from "./second_evaluation.js";
import { createSharedBuffer, PageMemory } from "./shared.js";

/** All that is needed to start an interpreter, and to start another like it. */
export interface Settings {
  boot: BootOptions;
  /** Whether memory can be shared with the worker. */
  shared: boolean;
  /** Whether somebody waits for it: then the page's own thread helps. */
  isAwaited: boolean;
  spawn: () => Worker;
  stdin: Stdin | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  onNotice: ((notice: Notice) => void) | undefined;
  onOutput: ((output: Output) => void) | undefined;
}

/** What a run wants to know of what happens in the worker. */
export interface RunListener {
  /** The code begins, its packages are there. */
  onStart(): void;
  onOutput(output: Output): void;
}

/** One worker with one CPython in it, from its start to its end. */
export class Interpreter {
  readonly connection: Connection;
  /** Resolves when Python has started. */
  readonly ready: Promise<BootEnd>;
  /** As of the last `boot`, `run` or `loadPackage`. */
  timings: Timings = { stages: {}, bytesFetched: 0, modulesCompiled: 0, modulesLinked: 0, filesInflated: 0 };
  /** Where things are kept for the next visit; `"none"` until Python has started. */
  store: StoreBackend = "none";
  readonly #settings: Settings;
  /** Nothing is known of an earlier start, and the browser may keep something of this one. */
  #isFirst: boolean;
  readonly #memory: PageMemory | undefined;
  readonly #input: Input | undefined;
  readonly #listeners = new Map<number, RunListener>();
  readonly #rehearsal = new Rehearsal(
    () => new Interpreter(unseen(this.#settings, { packages: [], isRehearsal: true })),
  );

  /** Starts at once. When `signal` aborts before Python has started, the worker is ended. */
  constructor(settings: Settings, signal?: AbortSignal) {
    this.#settings = settings;
    // First of all: the worker starts while this thread waits for `localStorage`.
    this.connection = new Connection(settings.spawn, (event) => this.#receive(event));
    const shared = settings.shared ? createSharedBuffer() : undefined;
    this.#memory = shared && new PageMemory(shared);
    this.#input = this.#memory && settings.stdin && new Input(settings.stdin, this.#memory);
    const known = settings.boot.cache === "none" ? undefined : recallFiles(settings.boot.indexURL);
    this.#isFirst = known === undefined && settings.boot.cache !== "none" && !settings.boot.isRehearsal;
    const boot: BootOptions = { ...settings.boot, ...(known && { known }) };
    const awaited = settings.isAwaited ? known : undefined;
    const host = {
      input: settings.stdin !== undefined,
      helps: awaited !== undefined,
      progress: settings.onProgress !== undefined,
      ...(shared && { shared }),
    };
    const early = awaited && new EarlyFiles(boot.indexURL, awaited, signal);
    this.ready = this.#boot(boot, host, early, signal);
    void early?.glue.then((url) => this.connection.post({ type: "glue", url }));
    void early?.module.then((compiled) => this.connection.post({ type: "module", module: compiled?.module }));
    // Whoever waits for `ready` sees the failure; nobody has to wait for it.
    this.ready.catch(() => {});
  }

  async #boot(
    boot: BootOptions,
    host: HostOptions,
    early: EarlyFiles | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BootEnd> {
    const onAbort = () => this.close(aborted("the start of Python", signal?.reason));
    signal?.addEventListener("abort", onAbort);
    try {
      const end = await this.connection.call("boot", [boot, host]).result;
      this.store = end.store;
      if (boot.cache !== "none" && !boot.isRehearsal) {
        void noteWhenKnown(boot, end.known, early);
      }
      // Where an image makes itself, that does what a rehearsal does.
      if (this.timings.image === "address" || this.timings.image === "distribution") {
        this.keepCompiled(end);
      }
      return end;
    } catch (error) {
      this.close(error as TaipanError);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Whether computing Python can be interrupted without losing it. */
  get canInterrupt(): boolean {
    return this.#memory !== undefined;
  }

  /** Sends what happens in a run to `listener`, until the function that is returned is called. */
  listen(run: number, listener: RunListener): () => void {
    this.#listeners.set(run, listener);
    this.#rehearsal.begin();
    return () => {
      this.#listeners.delete(run);
      this.#rehearsal.end();
      // A question that was on its way when the run was interrupted is nobody's.
      this.#input?.cancel();
    };
  }

  /**
   * Asks for KeyboardInterrupt in a run. `id` is its request: code that computes or waits for input is reached through
   * shared memory, code that awaits by a message.
   */
  interrupt(run: number, id: number): void {
    this.#memory?.interrupt(run);
    this.#input?.cancel();
    this.connection.abort(id);
  }

  /** Does something large that is no run: a rehearsal gives way to it. */
  async work<T>(work: () => Promise<T>): Promise<T> {
    this.#rehearsal.begin();
    try {
      return await work();
    } finally {
      this.#rehearsal.end();
    }
  }

  /** After a first start: has the browser keep what it compiled, for the next visit, which restores an image. */
  keepCompiled({ known: { glue } }: BootEnd): void {
    if (!this.#isFirst || glue.answer === undefined || this.connection.closed !== undefined) {
      return;
    }
    this.#isFirst = false;
    // Where packages with compiled code have been imported, CPython has been at work for long enough.
    if (canRehearse() && (this.timings.image !== undefined || this.timings.modulesLinked === 0)) {
      this.#rehearsal.want();
    } else {
      evaluateAgain(this.#settings.spawn, `${this.#settings.boot.indexURL}${glue.name}`);
    }
  }

  /** Ends the worker; everything asked of it rejects with `reason`. */
  close(reason: TaipanError): void {
    this.connection.close(reason);
    this.#input?.cancel();
    this.#rehearsal.close();
  }

  #receive(event: WorkerEvent): void {
    switch (event.type) {
      case "progress":
        callBack(this.#settings.onProgress, event.progress);
        break;
      case "notice":
        this.store = "memory";
        callBack(this.#settings.onNotice, event.notice);
        break;
      case "timings":
        this.timings = event.timings;
        break;
      case "started":
        this.#listeners.get(event.run)?.onStart();
        break;
      case "outputs":
        for (const output of event.outputs) {
          if (event.run === 0) {
            callBack(this.#settings.onOutput, output);
          } else {
            this.#listeners.get(event.run)?.onOutput(output);
          }
        }
        break;
      case "input":
        void this.#input?.ask(event.prompt);
        break;
      case "inputContinue":
        this.#memory?.sendPart();
        break;
      default:
        // `fatal` is the connection's own affair.
        break;
    }
  }
}

/** What starts another interpreter, with some options of its own, of which nobody sees anything. */
export function unseen({ boot, spawn }: Settings, own: Partial<BootOptions>): Settings {
  return {
    boot: { ...boot, ...own },
    shared: false,
    isAwaited: false,
    spawn,
    stdin: undefined,
    onProgress: undefined,
    onNotice: undefined,
    onOutput: undefined,
  };
}

/** Notes what the files are for the next visit, with the answers that the page has seen, if it has. */
async function noteWhenKnown(
  { indexURL, known }: BootOptions,
  found: KnownFiles,
  early: EarlyFiles | undefined,
): Promise<void> {
  const [glue, module] = await Promise.all([early?.glue, early?.module]);
  noteFiles(indexURL, {
    glue: withAnswer(found.glue, known?.glue, glue && known?.glue.answer),
    module: withAnswer(found.module, known?.module, module?.answer),
  });
}

/** A file that is found to be what was known, with the answer in which the page has seen it. */
function withAnswer(found: KnownFile, known: KnownFile | undefined, answer: string | undefined): KnownFile {
  return answer !== undefined && known?.sha256 === found.sha256 ? { ...found, answer } : found;
}
