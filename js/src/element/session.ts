import type { Output, Progress } from "../boundary.js";
import { type LoadPythonOptions, loadPython } from "../load.js";
import type { Python } from "../python.js";
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
  #python: Promise<Python> | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #turn: Turn | undefined;

  /** The session of this name. */
  static named(name: string): Session {
    let session = Session.#byName.get(name);
    if (session === undefined) {
      session = new Session();
      Session.#byName.set(name, session);
    }
    return session;
  }

  /** Runs code when the runs before it have ended. */
  run(code: string, filename: string, options: LoadPythonOptions, signal: AbortSignal, turn: Turn): Promise<RunResult> {
    const run = this.#before.then(async () => {
      signal.throwIfAborted();
      this.#turn = turn;
      try {
        const python = await this.#start(options, signal);
        turn.onStart();
        return await python.run(code, { filename, signal, onOutput: turn.onOutput });
      } finally {
        this.#turn = undefined;
      }
    });
    this.#before = run.catch(() => {});
    return run;
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
}
