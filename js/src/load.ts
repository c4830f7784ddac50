import {
  DEFAULT_INDEX_URL,
  isImageName,
  resolveFolder,
  resolveIndexes,
  resolvePackage,
  resolveUrl,
} from "./address.js";
import type { BootOptions, Notice, Output, Progress } from "./boundary.js";
import { aborted, badArgument, checkOptions } from "./common_errors.js";
import { TaipanError } from "./errors.js";
import { detectFeatures } from "./features.js";
import type { Stdin } from "./input.js";
import type { Settings } from "./interpreter.js";
import { Python } from "./python.js";
import { spawnWorker } from "./spawn.js";

/** How to start Python. Every option may be left out. URLs may be relative to the page. */
export interface LoadPythonOptions {
  /** Folder of the distribution. Default: Pyodide 0.28.3 from jsDelivr. */
  indexURL?: string | URL;
  /** Where the lock file is. Default: `pyodide-lock.json` in `indexURL`. */
  lockFileURL?: string | URL;
  /** The lock file itself, as JSON or parsed; then none is fetched. */
  lockFileContents?: string | object;
  /**
   * Folder of the wheels that the lock file names, or a list of mirrors that each have them all: what one does not give,
   * or gives wrong, is asked of the next. Default: the folder of the lock file.
   */
  packageBaseUrl?: string | URL | (string | URL)[];
  /**
   * Roots of package indexes that `install` and imports ask, in order. Default: `["https://pypi.org/simple"]`, as micropip.
   */
  indexURLs?: (string | URL)[];
  /**
   * Who may bring what code imports. `"indexes"`: the lock file and, for what it does not have, the first index with a
   * project of that name: a misspelt import then runs what somebody else has published under that name. `"lock"`: the lock
   * file alone. Default: `"indexes"`.
   */
  importsFrom?: "indexes" | "lock";
  /** Packages to have on the path at start: names from the lock file, or URLs of wheels. */
  packages?: string[];
  /**
   * Whether packages, bytecode and images may be kept in this browser, so that the next visit downloads and compiles nothing
   * again: `"persistent"` or `"none"`. Default: `"persistent"`, as far as the browser allows (`features.store`).
   */
  cache?: "persistent" | "none";
  /**
   * A baked image, by its address or by the name under which `python.bake` has kept it in this browser: Python starts as it
   * was when that was baked, with its packages imported and its variables. One that is not there or does not fit costs time
   * and nothing else; `python.timings.imageRefused` says why. Of one from an address this browser keeps a copy (see `cache`),
   * which is used as long as the server has the same image.
   *
   * Default: the image that Taipan has made by itself on an earlier visit, which has packages imported and nothing else,
   * unless there is `env`; or else the one that the distribution has (`taipan bake`). `"none"`: Python starts from the
   * beginning, and no image is made. `python.timings.image` says what it was.
   */
  image?: "none" | string | URL | { name: string };
  /**
   * The most that is kept for this origin, in bytes; then the least recently used goes, but no image that has a
   * name. Default: 512 MiB, or half of what the browser gives the whole site where that is less.
   */
  cacheLimit?: number;
  /**
   * The most bytes of memory that checkpoints hold; then the oldest ones go. Default: 256 MiB.
   */
  checkpointLimit?: number;
  /** Environment variables, over those of the distribution. */
  env?: Record<string, string>;
  /**
   * Milliseconds without a byte after which a download is given up and tried again; at most 2^31 - 1. Default: 30 000.
   */
  stallTimeoutMs?: number;
  /** Gives the start up: `loadPython` rejects with code `ABORTED` and the worker is ended. */
  signal?: AbortSignal;
  /** Answers `input()`. Needs a cross-origin isolated page (`features.input`). Default: `input()` raises an error. */
  stdin?: Stdin;
  /** Called as the start, and later the loading of packages, moves on. */
  onProgress?: (progress: Progress) => void;
  /** Called for what the page may want to know and what is no failure: that nothing can be kept for the next visit. */
  onNotice?: (notice: Notice) => void;
  /** Called for output that belongs to no run: of the start, of callbacks, of tasks that outlive their run. */
  onOutput?: (output: Output) => void;
  /**
   * Makes the worker, a module worker that runs this package's `worker.js`. For pages whose security policy or server
   * layout asks for another way. Default: `worker.js` beside this module, through a blob if that is on another origin.
   */
  worker?: () => Worker;
}

/**
 * Starts Python in a worker of its own.
 *
 * Rejects with `BAD_ARGUMENT` naming the option that is wrong, `LoadError` or `IntegrityError` for files that cannot be
 * had or are not what they should be, `PackageNotFoundError`, `ABORTED`, `OUT_OF_MEMORY`, `NOT_SUPPORTED` outside
 * browsers, and `WORKER` if the worker cannot be started.
 */
export async function loadPython(options: LoadPythonOptions = {}): Promise<Python> {
  checkTypes(options);
  const { signal } = options;
  if (signal?.aborted) {
    throw aborted("the start of Python", signal.reason);
  }
  if (typeof Worker !== "function" || typeof WebAssembly !== "object") {
    throw new TaipanError({
      code: "NOT_SUPPORTED",
      message: "Python needs a browser with module workers and WebAssembly",
      hint: "Call loadPython in the browser, not while rendering on a server.",
    });
  }
  const boot = bootOptions(options);
  const features = detectFeatures(boot.automaticImage === true);
  const settings: Settings = {
    boot,
    shared: features.interrupt === "shared",
    isAwaited: true,
    spawn: options.worker ?? spawnWorker,
    stdin: options.stdin,
    onProgress: options.onProgress,
    onNotice: options.onNotice,
    onOutput: options.onOutput,
  };
  return Python.start(settings, features, signal);
}

/** The options as the engine takes them: all URLs absolute, folders with their slash. */
function bootOptions(options: LoadPythonOptions): BootOptions {
  const { lockFileURL, lockFileContents, packageBaseUrl, packages = [] } = options;
  return {
    indexURL: resolveFolder("indexURL", options.indexURL ?? DEFAULT_INDEX_URL),
    ...(lockFileURL !== undefined && { lockFileURL: resolveUrl("lockFileURL", lockFileURL) }),
    ...(lockFileContents !== undefined && { lockFileContents: toJson(lockFileContents) }),
    ...(packageBaseUrl !== undefined && {
      packageBaseUrls: [packageBaseUrl].flat().map((url) => resolveFolder("packageBaseUrl", url)),
    }),
    ...(options.indexURLs !== undefined && { indexURLs: resolveIndexes(options.indexURLs) }),
    ...(options.importsFrom !== undefined && { importsFrom: options.importsFrom }),
    ...(options.stallTimeoutMs !== undefined && { stallTimeoutMs: options.stallTimeoutMs }),
    ...imageOption(options),
    packages: packages.map((name) => resolvePackage("packages", name)),
    env: { ...options.env },
    ...(options.cache !== undefined && { cache: options.cache }),
    ...(options.cacheLimit !== undefined && { cacheLimit: options.cacheLimit }),
    ...(options.checkpointLimit !== undefined && { checkpointLimit: options.checkpointLimit }),
  };
}

function imageOption({ image, cache, env = {} }: LoadPythonOptions): Partial<BootOptions> {
  if (image === undefined) {
    // CPython and packages look at the environment while they start: with another one they may become others.
    return { automaticImage: cache !== "none" && Object.keys(env).length === 0, distributionImage: true };
  }
  if (typeof image === "string" || image instanceof URL) {
    return image === "none" ? {} : { image: resolveUrl("image", image) };
  }
  return { imageName: image.name };
}

function toJson(contents: string | object): string {
  return typeof contents === "string" ? contents : JSON.stringify(contents);
}

type Check = [test: (value: unknown) => boolean, expected: string];

const isUrl: Check = [(value) => typeof value === "string" || value instanceof URL, "a URL"];
const isByteCount: Check = [
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "a number of bytes, an integer from 0",
];
const isFunction: Check = [(value) => typeof value === "function", "a function"];

/** What each option has to be. */
const CHECKS: Record<keyof LoadPythonOptions, Check> = {
  indexURL: isUrl,
  lockFileURL: isUrl,
  lockFileContents: [
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
    "the text of a lock file or the object it stands for",
  ],
  packageBaseUrl: [
    (value) => isUrl[0](value) || (Array.isArray(value) && value.length > 0 && value.every(isUrl[0])),
    "a URL or a list of URLs",
  ],
  image: [
    (value) => isUrl[0](value) || isImageName((value as { name?: unknown } | null)?.name),
    'a URL, { name } or "none"',
  ],
  packages: [
    (value) => Array.isArray(value) && value.every((name) => typeof name === "string" && name !== ""),
    "an array of names",
  ],
  indexURLs: [
    (value) => Array.isArray(value) && value.every((url) => typeof url === "string" || url instanceof URL),
    "an array of URLs",
  ],
  importsFrom: [(value) => value === "indexes" || value === "lock", '"indexes" or "lock"'],
  env: [
    (value) => typeof value === "object" && value !== null && Object.values(value).every((v) => typeof v === "string"),
    "an object whose values are strings",
  ],
  cache: [(value) => value === "persistent" || value === "none", '"persistent" or "none"'],
  stallTimeoutMs: [
    (value) => typeof value === "number" && value > 0 && value < 2 ** 31,
    "a number of milliseconds above 0 and below 2^31",
  ],
  cacheLimit: isByteCount,
  checkpointLimit: isByteCount,
  signal: [(value) => value instanceof AbortSignal, "an AbortSignal"],
  stdin: isFunction,
  onProgress: isFunction,
  onNotice: isFunction,
  onOutput: isFunction,
  worker: isFunction,
};

function checkTypes(options: LoadPythonOptions): void {
  checkOptions("loadPython", options, Object.keys(CHECKS));
  for (const [name, value] of Object.entries(options)) {
    const [test, expected] = CHECKS[name as keyof LoadPythonOptions];
    if (value !== undefined && !test(value)) {
      throw badArgument(name, `must be ${expected}`);
    }
  }
}
