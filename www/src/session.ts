import {
  type Checkpoint,
  InterruptedError,
  isTaipanError,
  loadPython,
  type Output,
  type Progress,
  type Python,
} from "taipan";
import type { Keeper } from "./keeper.js";

/** What Python is doing. `failed`: it did not start; `broken`: it did, and cannot go on. */
export type SessionState = "starting" | "ready" | "running" | "restarting" | "failed" | "broken";

/** A run and what listens to it. */
export interface Job {
  code: string;
  filename: string;
  signal: AbortSignal;
  onStart(): void;
  onOutput(output: Output): void;
  /** Python's `input()` asks; `signal` takes the question back. */
  onQuestion(prompt: string, signal: AbortSignal): Promise<string | null>;
}

/** How a run ended. `stopped`: by the learner; `cancelled`: it never began. */
export type Ending =
  | { type: "done" }
  | { type: "failed"; error: unknown }
  | { type: "stopped"; error: unknown }
  | { type: "cancelled" };

export interface SessionOptions {
  indexURL: string;
  onState(state: SessionState, error?: unknown): void;
  /** Keeps the variables for the next visit. */
  keeper: Keeper;
  onProgress(progress: Progress): void;
  /** Python is fresh: what was put into the old one has to be put in again. */
  onFresh(python: Python): Promise<void>;
  /** The variables of the runs before are gone. */
  onLost(): void;
  /** A run has ended, and Python can go on. */
  onRan(python: Python): void;
  /** Python is as it was before a run: what was put into it since has to be put in again. */
  onUndone(python: Python): Promise<void>;
}

/** A run that can be undone. */
interface Past {
  job: Job;
  before: Checkpoint;
}

/** How many runs can be undone. */
const MOST_UNDONE = 20;

/** The one interpreter of the page. It does one run at a time, in the order in which they were asked for. */
export class Session {
  readonly #options: SessionOptions;
  #boot = new AbortController();
  #starting: Promise<Python> | undefined;
  #python: Python | undefined;
  /** Whether {@link Session.#python} answers nothing any more. */
  #isBroken = false;
  #tail: Promise<unknown> = Promise.resolve();
  #job: Job | undefined;
  #used = false;
  /** The runs that can be undone, the oldest first. */
  #past: Past[] = [];
  /** Counts starts and restarts: what belongs to an earlier one no longer speaks for the session. */
  #generation = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Whether there are variables that a restart would lose. */
  get used(): boolean {
    return this.#used;
  }

  /** The interpreter once it is there; rejects if it does not start. */
  get python(): Promise<Python> {
    return this.#starting ?? this.#start();
  }

  /**
   * Starts Python; called again after a failure it tries again, and one that cannot go on makes way for another, with the
   * variables that were kept last. What comes of it is told by `onState`.
   */
  start(): void {
    if (this.#isBroken) {
      this.#python?.dispose();
      this.#leave();
      this.#used = false;
      this.#options.onLost();
    }
    this.#start().catch(() => undefined);
  }

  async #start(): Promise<Python> {
    const generation = ++this.#generation;
    this.#options.onState("starting");
    this.#boot = new AbortController();
    const { keeper, indexURL } = this.#options;
    const image = keeper.image;
    const starting = loadPython({
      indexURL,
      // A beginner's slip must not run what a stranger has published under that name.
      importsFrom: "lock",
      ...(image && { image }),
      signal: this.#boot.signal,
      onProgress: this.#options.onProgress,
      stdin: (prompt, signal) => this.#job?.onQuestion(prompt, signal) ?? null,
    }).then(async (python) => {
      if (keeper.started(python)) this.#used = true;
      await this.#options.onFresh(python);
      return python;
    });
    this.#starting = starting;
    try {
      const python = await starting;
      if (generation === this.#generation) this.#python = python;
      this.#tell(generation, "ready");
      return python;
    } catch (error) {
      this.#tell(generation, "failed", error);
      throw error;
    }
  }

  #tell(generation: number, state: SessionState, error?: unknown): void {
    if (generation === this.#generation) this.#options.onState(state, error);
  }

  /** Runs a job after those before it. Never rejects. */
  run(job: Job): Promise<Ending> {
    const ending = this.#tail.then(() => this.#begin(job));
    this.#tail = ending;
    return ending;
  }

  async #begin(job: Job): Promise<Ending> {
    const stopped = new Promise<undefined>((resolve) => {
      job.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    let generation = this.#generation;
    try {
      const python = job.signal.aborted ? undefined : await Promise.race([this.python, stopped]);
      if (python === undefined || job.signal.aborted) return { type: "cancelled" };
      generation = this.#generation;
      this.#job = job;
      this.#used = true;
      this.#tell(generation, "running");
      this.#options.keeper.pause();
      await this.#remember(python, job);
      if (job.signal.aborted) {
        this.#forget(job);
        this.#tell(generation, "ready");
        return { type: "cancelled" };
      }
      job.onStart();
      job.signal.addEventListener("abort", () => this.#interrupt(python, job), { once: true });
      await python.run(job.code, { filename: job.filename, onOutput: (output) => job.onOutput(output) });
      this.#tell(generation, "ready");
      return { type: "done" };
    } catch (error) {
      if (this.#job === job) await this.#recover(generation, error);
      return { type: job.signal.aborted ? "stopped" : "failed", error };
    } finally {
      if (this.#job === job) {
        this.#job = undefined;
        if (this.#python && !this.#isBroken) {
          this.#options.keeper.touch(this.#python);
          this.#options.onRan(this.#python);
        }
      }
    }
  }

  /** Something was put into Python that is to be there on the next visit. */
  keep(): void {
    if (this.#python && !this.#job && !this.#isBroken) this.#options.keeper.touch(this.#python);
  }

  /** Whether a run can be undone. */
  canUndo(job: Job): boolean {
    return this.#past.some((past) => past.job === job);
  }

  /**
   * Makes Python be as it was before a run. Gives the runs that are undone: that one and all after it; none where that run
   * cannot be undone any more. Rejects if it fails; nothing is undone then.
   */
  undo(job: Job): Promise<Job[]> {
    const undone = this.#tail.then(async () => {
      const index = this.#past.findIndex((past) => past.job === job);
      const past = this.#past[index];
      const python = this.#python;
      if (!past || !python) return [];
      const generation = this.#generation;
      this.#options.keeper.pause();
      try {
        await python.rollback(past.before);
        await this.#options.onUndone(python);
      } catch (error) {
        if (isBreakdown(error)) this.#break(generation, error);
        if (!isTaipanError(error, "CHECKPOINT_GONE")) throw error;
        // It had to make room, and so had those before it.
        for (const { before } of this.#past.splice(0, index + 1)) before.dispose();
        return [];
      } finally {
        if (generation === this.#generation && !this.#isBroken) this.#options.keeper.touch(python);
      }
      const undone = this.#past.splice(index);
      for (const { before } of undone) before.dispose();
      return undone.map(({ job }) => job);
    });
    this.#tail = undone.catch(() => undefined);
    return undone;
  }

  /** Notes how Python is before a run. Where that cannot be, the run cannot be undone. */
  async #remember(python: Python, job: Job): Promise<void> {
    const before = await python.checkpoint().catch(() => undefined);
    if (before === undefined) return;
    this.#past.push({ job, before });
    for (const { before } of this.#past.splice(0, this.#past.length - MOST_UNDONE)) before.dispose();
  }

  /** Lets go of what {@link Session.#remember} noted of a run that did not begin. */
  #forget(job: Job): void {
    const index = this.#past.findIndex((past) => past.job === job);
    if (index >= 0) for (const { before } of this.#past.splice(index, 1)) before.dispose();
  }

  /** The interpreter answers nothing any more. */
  #break(generation: number, error: unknown): void {
    if (generation === this.#generation) this.#isBroken = true;
    this.#tell(generation, "broken", error);
  }

  /** Knows of no interpreter any more. */
  #leave(): void {
    this.#starting = undefined;
    this.#python = undefined;
    this.#isBroken = false;
    this.#past = [];
  }

  /** The variables are gone. */
  #lose(): void {
    this.#used = false;
    this.#past = [];
    this.#options.keeper.forget(this.#python);
    this.#options.onLost();
  }

  #interrupt(python: Python, job: Job): void {
    if (this.#job === job) void python.interrupt();
  }

  /** After a run that failed; where memory cannot be shared, stopping it has taken a new interpreter. */
  async #recover(generation: number, error: unknown): Promise<void> {
    if (isBreakdown(error)) {
      this.#break(generation, error);
      return;
    }
    if (error instanceof InterruptedError && error.restarted && generation === this.#generation) {
      this.#lose();
      await this.#options.onFresh(await this.python);
    }
    this.#tell(generation, "ready");
  }

  /** Throws all variables away and starts Python afresh; a run that is under way ends as stopped. */
  async restart(): Promise<void> {
    const python = this.#python;
    if (!python) {
      this.#boot.abort();
      this.#lose();
      this.start();
      return;
    }
    const generation = ++this.#generation;
    this.#isBroken = false;
    this.#options.onState("restarting");
    const restarted = python.restart();
    this.#lose();
    try {
      await restarted;
      await this.#options.onFresh(python);
      this.#tell(generation, "ready");
    } catch (error) {
      if (generation === this.#generation) this.#leave();
      this.#tell(generation, "failed", error);
    }
  }
}

/** Whether an interpreter that failed in this way answers nothing more. */
function isBreakdown(error: unknown): boolean {
  return isTaipanError(error, "FATAL") || isTaipanError(error, "WORKER");
}
