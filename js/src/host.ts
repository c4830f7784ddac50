import type { EarlyStore, EngineHost, Part } from "./boundary.js";
import type { FromPage } from "./from_page.js";
import type { HeadStart } from "./head_start.js";
import { OutputQueue } from "./output.js";
import type { HostOptions, WorkerEvent } from "./protocol.js";
import { WorkerMemory } from "./shared.js";
import { signalPoll } from "./signal_poll.js";
import { loadPart, loadPartNow } from "./wasm_module.js";

/** What was begun before the engine was there. */
interface Early {
  headStart: HeadStart;
  store: Promise<EarlyStore | undefined>;
  /** What the page finds of the files that are known, where it looks after them. */
  files: KnownFilesFromPage | undefined;
}

/** The glue, evaluated, and CPython's module. */
export interface KnownFilesFromPage {
  glue: FromPage<unknown>;
  module: FromPage<WebAssembly.Module>;
}

/** Evaluates the script at an address. */
export const importModule = (url: string): Promise<unknown> => import(/* webpackIgnore: true */ /* @vite-ignore */ url);

/** The worker as the engine sees it: what it can ask for and where its output goes. */
export class WorkerHost implements EngineHost {
  /** The run whose code is under way, 0 for none. */
  run = 0;
  /** Outputs that wait to be posted. */
  readonly outputs: OutputQueue;
  /** Blocks until the page has answered. Absent where there is no shared memory to wait on. */
  readLine?: (prompt: string) => string | null;
  /** Absent where nobody wants to know. */
  onProgress?: NonNullable<EngineHost["onProgress"]>;
  readonly signals = signalPoll();
  readonly earlyStore: Promise<EarlyStore | undefined>;
  /** Absent, as the next, where the page does nothing. */
  readonly knownGlue?: () => Promise<unknown>;
  readonly knownModule?: () => Promise<WebAssembly.Module | undefined>;
  readonly #post: (event: WorkerEvent) => void;
  readonly #memory: WorkerMemory | undefined;
  readonly #headStart: HeadStart;

  constructor(options: HostOptions, { headStart, store, files }: Early, post: (event: WorkerEvent) => void) {
    this.earlyStore = store;
    this.#post = post;
    this.#headStart = headStart;
    if (files !== undefined) {
      this.knownGlue = () => files.glue.take();
      this.knownModule = () => files.module.take();
    }
    if (options.progress) {
      this.onProgress = (progress) => post({ type: "progress", progress });
    }
    this.outputs = new OutputQueue((run, outputs) => post({ type: "outputs", run, outputs }));
    const memory = options.shared && new WorkerMemory(options.shared);
    this.#memory = memory;
    if (!options.input) {
      this.readLine = () => {
        throw new Error("nobody answers input(): give loadPython the option `stdin`");
      };
    } else if (memory) {
      this.readLine = (prompt) => this.#readLine(memory, prompt);
    }
  }

  importModule(url: string): Promise<unknown> {
    return importModule(url);
  }

  earlyAnswer(url: string): Promise<Response> | undefined {
    return this.#headStart.take(url);
  }

  loadPart(name: Part): Promise<void> {
    return loadPart(name);
  }

  loadPartNow(name: Part): void {
    loadPartNow(name);
  }

  onNotice(notice: Parameters<NonNullable<EngineHost["onNotice"]>>[0]): void {
    this.#post({ type: "notice", notice });
  }

  onOutput(run: number, output: Parameters<EngineHost["onOutput"]>[1]): void {
    this.outputs.push(run, output);
  }

  /**
   * Asked regularly while Python computes, which is also when outputs that wait can be posted: that is why it is there
   * even without shared memory.
   */
  takeInterrupt(): boolean {
    this.outputs.poll();
    return this.run !== 0 && this.#memory !== undefined && this.#memory.takeInterrupt(this.run);
  }

  /** Undoes `takeInterrupt`: the wish is still to be fulfilled. */
  putInterruptBack(): void {
    this.#memory?.putInterruptBack(this.run);
  }

  #readLine(memory: WorkerMemory, prompt: string): string | null {
    this.outputs.flush();
    const line = memory.readLine(
      this.run,
      () => this.#post({ type: "input", prompt }),
      () => this.#post({ type: "inputContinue" }),
    );
    if (line === undefined) {
      throw new Error("input() was interrupted");
    }
    return line;
  }
}
