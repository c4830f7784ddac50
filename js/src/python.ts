/// <reference lib="esnext.disposable" preserve="true" />
import { IMAGE_NAME, isImageName, resolveIndexes, resolvePackage, resolveRequirement } from "./address.js";
import type { KeptImage, MemoryUse, PackageInfo, Timings } from "./boundary.js";
import { Checkpoint } from "./checkpoint.js";
import { badArgument, checkOptions } from "./common_errors.js";
import { isTaipanError, TaipanError } from "./errors.js";
import type { Features, PageFeatures } from "./features.js";
import { FileSystem } from "./fs.js";
import { Globals } from "./globals.js";
import { ImageMaker } from "./image_maker.js";
import { Interpreter, type Settings } from "./interpreter.js";
import type { BootEnd } from "./protocol.js";
import { Queue } from "./queue.js";
import { Run, type RunOptions, type RunResult, replaced } from "./run.js";
import { Store } from "./store.js";

/** How to load packages. */
export interface LoadPackageOptions {
  /** Gives the loading up; nothing of it stays. */
  signal?: AbortSignal;
}

/** How to bake an image. */
export interface BakeOptions extends LoadPackageOptions {
  /** Keeps the image in this browser under this name. */
  name?: string;
}

/** How to install packages. */
export interface InstallOptions {
  /** Gives the installation up; nothing of it stays. */
  signal?: AbortSignal;
  /** Roots of package indexes, instead of those given to `loadPython`. `[]`: the lock file only. */
  indexURLs?: (string | URL)[];
  /** Requirements that restrict the versions of what is needed anyway. */
  constraints?: string[];
  /** Whether pre-releases are as good as releases. Default: they are taken only where nothing else fits. */
  pre?: boolean;
}

/**
 * A Python interpreter in a worker of its own. Every method rejects with a `TaipanError`: besides those that it names,
 * with `DISPOSED` after `dispose()`, with `FatalError` once the interpreter is broken, and with `WORKER` if the worker
 * fails.
 */
export class Python {
  /** Python's file system. */
  readonly fs: FileSystem;
  /** Global variables, those of `__main__`. */
  readonly globals: Globals;
  /** What is kept in this browser for the next visit. */
  readonly store: Store;
  readonly #features: PageFeatures;
  readonly #settings: Settings;
  readonly #queue = new Queue();
  readonly #imageMaker: ImageMaker | undefined;
  #interpreter: Interpreter;
  #versions: Pick<BootEnd, "version" | "pythonVersion"> = { version: "", pythonVersion: "" };
  #disposed: TaipanError | undefined;
  #lastRun = 0;
  /** The run whose turn it is, and its end. */
  #current: { run: Run; ended: Promise<unknown> } | undefined;

  private constructor(settings: Settings, features: PageFeatures, signal: AbortSignal | undefined) {
    this.#features = features;
    this.#settings = settings;
    this.#interpreter = new Interpreter(settings, signal);
    if (features.automaticImage) {
      this.#imageMaker = new ImageMaker(settings, () => this.#interpreter);
    }
    this.fs = new FileSystem(() => this.#interpreter.connection);
    this.globals = new Globals(() => this.#interpreter.connection);
    this.store = new Store(() => this.#interpreter.connection);
  }

  /** @internal What `loadPython` does when the options are checked. */
  static async start(settings: Settings, features: PageFeatures, signal: AbortSignal | undefined): Promise<Python> {
    const python = new Python(settings, features, signal);
    try {
      python.#versions = await python.#interpreter.ready;
    } catch (error) {
      if (!isTaipanError(error, "FATAL") || settings.boot.automaticImage !== true) {
        throw error;
      }
      python.#interpreter = new Interpreter(withoutImage(settings), signal);
      python.#versions = await python.#interpreter.ready;
    }
    return python;
  }

  /** Which roads were taken where browsers differ. */
  get features(): Features {
    return { ...this.#features, store: this.#interpreter.store };
  }

  /** Version of the distribution, such as `"0.28.3"`. */
  get version(): string {
    return this.#versions.version;
  }

  /** Version of Python, such as `"3.13.2"`. */
  get pythonVersion(): string {
    return this.#versions.pythonVersion;
  }

  /** How long the start took and what has been moved since, as of the last run or package. */
  get timings(): Timings {
    return this.#interpreter.timings;
  }

  /**
   * Runs Python; `await` is allowed at top level. Packages that the code imports and the lock file has are fetched
   * first. Runs take turns, in the order of the calls.
   *
   * Rejects with `PythonError` for an exception, `TimeoutError`, `InterruptedError`, `AbortedError`, and with what
   * `loadPackage` rejects with.
   */
  async run(code: string, options: RunOptions = {}): Promise<RunResult> {
    check(typeof code === "string", "code", "must be a string");
    checkOptions("run", options, RUN_OPTIONS);
    const { globals, filename = "<exec>", signal, timeoutMs, onOutput } = options;
    check(globals === undefined || isRecord(globals), "globals", "must be an object whose keys are names of variables");
    check(typeof filename === "string", "filename", "must be a string");
    check(signal === undefined || signal instanceof AbortSignal, "signal", "must be an AbortSignal");
    check(timeoutMs === undefined || isDuration(timeoutMs), "timeoutMs", "must be a positive number of milliseconds");
    check(onOutput === undefined || typeof onOutput === "function", "onOutput", "must be a function");

    const interpreter = this.#interpreter;
    this.#imageMaker?.begin();
    const ended = this.#queue.add("the run", signal, async () => {
      // After a restart the run would not find the variables it was written for: its own connection says so.
      this.#lastRun += 1;
      const request = {
        run: this.#lastRun,
        code,
        filename,
        ...(globals !== undefined && { globals }),
        ...(timeoutMs !== undefined && { timeoutMs }),
      };
      const run = new Run(interpreter, request, options, (reason) => this.#replace(interpreter, reason));
      const ended = run.toEnd();
      this.#current = { run, ended };
      try {
        return await ended;
      } finally {
        this.#current = undefined;
      }
    });
    return ended.finally(() => this.#imageMaker?.end());
  }

  /**
   * Interrupts the run whose turn it is; runs that wait for theirs are not touched. The run rejects with
   * `InterruptedError`. Python's variables stay where memory can be shared (`features.interrupt`), else Python is
   * restarted and `InterruptedError.restarted` is true.
   *
   * Resolves when the run has ended and Python is ready for the next; at once when nothing runs. Never rejects.
   */
  async interrupt(): Promise<void> {
    const current = this.#current;
    if (current !== undefined) {
      current.run.stop("interrupt");
      await current.ended.catch(() => {});
      await this.#interpreter.ready.catch(() => {});
    }
  }

  /**
   * Ends this interpreter, whatever it does, and starts another with the same options; an image that is kept under a name
   * is not restored again. Variables, files and packages are gone; all that was under way rejects with `InterruptedError`. Rejects as `loadPython` does.
   */
  async restart(): Promise<void> {
    if (this.#disposed !== undefined) {
      throw this.#disposed;
    }
    this.#replace(this.#interpreter, replaced("Python was restarted"));
    this.#versions = await this.#interpreter.ready;
  }

  /**
   * Puts packages and all they need on the path. A name is looked up in the lock file; what ends in `.whl` or has a
   * slash is a URL, relative to the page. Gives the packages that were not there before.
   *
   * Rejects with `PackageNotFoundError`, `IntegrityError`, `LoadError` (`PACKAGES_FAILED` names all that failed) or
   * `ABORTED`, and then nothing has changed.
   */
  async loadPackage(names: string | string[], options: LoadPackageOptions = {}): Promise<PackageInfo[]> {
    const list = typeof names === "string" ? [names] : names;
    const valid = Array.isArray(list) && list.every((name) => typeof name === "string" && name !== "");
    check(valid, "names", "must be a name or an array of names");
    checkOptions("loadPackage", options, ["signal"]);
    const wanted = list.map((name) => resolvePackage("names", name));
    return this.#interpreter.connection.request("loadPackage", [wanted], options);
  }

  /** Puts on the path what the code imports, as far as the lock file has it. `run` does so by itself. */
  async loadPackagesFromImports(code: string, options: LoadPackageOptions = {}): Promise<PackageInfo[]> {
    check(typeof code === "string", "code", "must be a string");
    checkOptions("loadPackagesFromImports", options, ["signal"]);
    return this.#interpreter.connection.request("loadPackagesFromImports", [code], options);
  }

  /**
   * Puts on the path what meets requirements (PEP 508), or wheels by their URLs, with all they need: from the lock file,
   * and where that does not do, from package indexes. All or nothing; what is loaded stays. Gives the packages that were
   * not there before.
   *
   * Rejects with `ResolutionError` (`RESOLUTION` says in sentences what does not go together, `BAD_REQUIREMENT`),
   * `PackageNotFoundError`, `IntegrityError`, `LoadError` (`BAD_INDEX` for an index that is none) or `ABORTED`.
   */
  async install(requirements: string | string[], options: InstallOptions = {}): Promise<PackageInfo[]> {
    const list = typeof requirements === "string" ? [requirements] : requirements;
    check(isTexts(list), "requirements", "must be a requirement or an array of requirements");
    checkOptions("install", options, INSTALL_OPTIONS);
    const { signal, indexURLs, constraints, pre } = options;
    check(constraints === undefined || isTexts(constraints), "constraints", "must be an array of requirements");
    check(indexURLs === undefined || Array.isArray(indexURLs), "indexURLs", "must be an array of URLs");
    check(pre === undefined || typeof pre === "boolean", "pre", "must be true or false");
    const plain = {
      ...(indexURLs !== undefined && { indexURLs: resolveIndexes(indexURLs) }),
      ...(constraints !== undefined && { constraints }),
      ...(pre !== undefined && { pre }),
    };
    const wanted = list.map(resolveRequirement);
    const { connection, timings } = this.#interpreter;
    try {
      return await connection.request("install", [wanted, plain], { signal });
    } catch (error) {
      // What does not go together with packages that nobody has asked for yet, but an earlier visit.
      if (!isTaipanError(error, "RESOLUTION") || timings.image !== "automatic") {
        throw error;
      }
      await connection.request("forgetAutomaticImage", []);
      if (connection.isUsed) {
        throw error;
      }
      await this.restart();
      return this.#interpreter.connection.request("install", [wanted, plain], { signal });
    }
  }

  /**
   * The text of a lock file in which everything that is on the path stands with its address and hash: as
   * `lockFileContents` it makes another interpreter load these very files. Rejects with `NOT_SUPPORTED` for a wheel that
   * has no address on the network.
   */
  async freeze(): Promise<string> {
    return this.#interpreter.connection.request("freeze", []);
  }

  /** The packages on the path. */
  async loadedPackages(): Promise<PackageInfo[]> {
    return this.#interpreter.connection.request("loadedPackages", []);
  }

  /**
   * Bakes an image: Python as it is, with its packages imported, its variables and its files. With a name it is kept in this
   * browser, for `loadPython({ image: { name } })` on a later visit, in the place of what had the name; without one it is
   * given as a `Blob`, whose address `loadPython` takes as `image`. Waits for the runs before it. The page does not wait: the
   * worker bakes, for a second or two, and runs begin after that.
   *
   * Rejects with `NOT_SUPPORTED` for what an image cannot hold, naming it: a JavaScript object that a variable holds, for
   * example; with `OUT_OF_MEMORY` if it cannot be kept; with `ABORTED` at once when `signal` aborts, and then an image that
   * was not being written yet is not kept. Python goes on in any case.
   */
  async bake(options: BakeOptions & { name: string }): Promise<undefined>;
  async bake(options?: LoadPackageOptions): Promise<Blob>;
  async bake(options: BakeOptions = {}): Promise<Blob | undefined> {
    checkOptions("bake", options, ["name", "signal"]);
    const { name, signal } = options;
    check(name === undefined || isImageName(name), "name", IMAGE_NAME);
    // As with a run: after a restart this is not the Python that was to be baked.
    const interpreter = this.#interpreter;
    return this.#queue.add("baking", signal, async () => {
      if (name === undefined) {
        return interpreter.work(() => interpreter.connection.request("bake", [], { signal }));
      }
      await interpreter.work(() => interpreter.connection.request("keepImage", [name], { signal }));
      interpreter.keepCompiled(await interpreter.ready);
      return undefined;
    });
  }

  /** The images that are kept in this browser under a name, for all pages of the origin. */
  async images(): Promise<KeptImage[]> {
    return this.#interpreter.connection.request("images", []);
  }

  /** Forgets the image that is kept under a name, if there is one. */
  async forgetImage(name: string): Promise<void> {
    check(isImageName(name), "name", IMAGE_NAME);
    await this.#interpreter.connection.request("forgetImage", [name]);
  }

  /**
   * Keeps Python as it is, for {@link Python.rollback}. Only what has changed since the checkpoints before it takes memory;
   * where the limit (`checkpointLimit`) is exceeded, the oldest ones go. Waits for the runs before it.
   *
   * Rejects with `NOT_SUPPORTED` while there is what one could not go back to (an open pipe, a task inside of `run_sync`),
   * and with `OUT_OF_MEMORY`. Python goes on in any case.
   */
  async checkpoint(options: LoadPackageOptions = {}): Promise<Checkpoint> {
    checkOptions("checkpoint", options, ["signal"]);
    const interpreter = this.#interpreter;
    return this.#queue.add(
      "the checkpoint",
      options.signal,
      async () => new Checkpoint(interpreter, await interpreter.connection.request("checkpoint", [])),
    );
  }

  /**
   * Makes Python be as it was at a checkpoint: variables, imported modules, packages, files, mounts, tasks. Any number of
   * times, and to any checkpoint, also to one that was taken later. Waits for the runs before it.
   *
   * Rejects with `CHECKPOINT_GONE` for one that was disposed of, had to make room, or is of before a restart, and with
   * `NOT_SUPPORTED` while a task is inside of `run_sync`. Then nothing has changed.
   */
  async rollback(checkpoint: Checkpoint, options: LoadPackageOptions = {}): Promise<void> {
    check(checkpoint instanceof Checkpoint, "checkpoint", "must be what `python.checkpoint` gives");
    checkOptions("rollback", options, ["signal"]);
    return this.#queue.add("the rollback", options.signal, async () => {
      const interpreter = this.#interpreter;
      await interpreter.connection.request("rollback", [checkpoint.idIn(interpreter)]);
    });
  }

  /** Sizes of the memories, in bytes. */
  async memory(): Promise<MemoryUse> {
    return this.#interpreter.connection.request("memory", []);
  }

  /** Ends the interpreter and its worker. All that is under way, and every later call, rejects with `DISPOSED`. */
  dispose(): void {
    this.#disposed ??= new TaipanError({ code: "DISPOSED", message: "this Python was disposed of" });
    this.#interpreter.close(this.#disposed);
    this.#imageMaker?.stop();
  }

  /** `await using python = await loadPython()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  /** Puts a fresh interpreter in the place of `old`, unless somebody else has done so. */
  #replace(old: Interpreter, reason: TaipanError): void {
    if (this.#interpreter !== old || this.#disposed !== undefined) {
      return;
    }
    // What broke may have been the image that it had started from.
    const isSuspect = old.connection.closed?.code === "FATAL" && old.timings.image === "automatic";
    old.close(reason);
    const settings = isSuspect ? withoutImage(this.#settings) : this.#settings;
    // What was kept under a name is what the caller wants to get away from.
    const { imageName: _, ...boot } = settings.boot;
    this.#interpreter = new Interpreter({ ...settings, boot });
  }
}

const RUN_OPTIONS = ["globals", "filename", "signal", "timeoutMs", "onOutput"] satisfies (keyof RunOptions)[];
const INSTALL_OPTIONS = ["signal", "indexURLs", "constraints", "pre"] satisfies (keyof InstallOptions)[];

/** For one start from the beginning, after which an image is made anew. */
function withoutImage(settings: Settings): Settings {
  return { ...settings, boot: { ...settings.boot, forgetImage: true } };
}

function check(condition: boolean, option: string, problem: string): void {
  if (!condition) {
    throw badArgument(option, problem);
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "");
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && value > 0 && Number.isFinite(value);
}
