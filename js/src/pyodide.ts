/** Pyodide's API for programs written for Pyodide: `import { loadPyodide } from "taipan/pyodide"`. */
import { DEFAULT_INDEX_URL, resolveFolder, resolveIndexes, resolveUrl } from "./address.js";
import type { BootOptions, EngineHost, Progress } from "./boundary.js";
import { BYTECODE } from "./bytecode.js";
import { callBack } from "./callback.js";
import { aborted, badArgument } from "./common_errors.js";
import { describeError, reviveError } from "./error_transfer.js";
import { TaipanError } from "./errors.js";
import { HeadStart } from "./head_start.js";
import type { PyodideAPI } from "./pyodide_api.js";
import type { PyodideConfig } from "./pyodide_config.js";
import type { Lockfile } from "./pyodide_lock.js";
import { bootPyodide } from "./wasm/taipan_web.js";
import { ADDRESSES } from "./wasm_addresses.js";
import { loadPart, loadPartNow, loadWasm, setAddresses } from "./wasm_module.js";

export type { ErrorCode, Progress } from "./boundary.js";
export { IntegrityError, isTaipanError, LoadError, PackageNotFoundError, TaipanError } from "./errors.js";
// For programs with `import type Pyodide from "pyodide"`, as compilers allow for Pyodide's own package.
export type * as default from "./pyodide.js";
export type * from "./pyodide_api.js";
export type * from "./pyodide_config.js";
export type * from "./pyodide_ffi.js";
export type * from "./pyodide_fs.js";
export type * from "./pyodide_lock.js";

/** The release of Pyodide that is loaded unless another is named, as `version` of Pyodide's own package. */
export const version: string = "0.28.3";

/** Pyodide's options, and a few of ours. */
export interface LoadPyodideOptions extends PyodideConfig {
  /** Whether bytecode may be kept in this browser for the next visit. Default: `"persistent"`. */
  cache?: "persistent" | "none";
  /** The most that is kept for this origin, in bytes. Default: as with `loadPython`. */
  cacheLimit?: number;
  /** Roots of package indexes that imports ask, in order. Default: `["https://pypi.org/simple"]`, as micropip. */
  indexURLs?: (string | URL)[];
  /**
   * Who may bring what code imports, as with `loadPython`. Default: `"lock"`, as with Pyodide, unless `indexURLs` is given.
   */
  importsFrom?: "indexes" | "lock";
  /** Gives the start up: `loadPyodide` rejects with code `ABORTED`. */
  signal?: AbortSignal;
  /** Called as the start, and later the loading of packages, moves on. */
  onProgress?: (progress: Progress) => void;
}

let wasm: Promise<void> | undefined;

/** The wasm module, fetched when it is first needed, and again if that failed. */
function loadOnce(): Promise<void> {
  setAddresses(ADDRESSES);
  wasm ??= loadWasm().catch((error) => {
    wasm = undefined;
    throw error;
  });
  return wasm;
}

/**
 * Starts Python on this thread, a page's or a worker's, and gives Pyodide's own API object.
 *
 * Rejects with a `TaipanError`: `LoadError` or `IntegrityError` for files that cannot be had or are not what they should
 * be, `PackageNotFoundError`, `BAD_ARGUMENT`, `ABORTED`, `OUT_OF_MEMORY`, and `NOT_SUPPORTED` outside browsers. What is
 * done with the object afterwards throws what Pyodide throws.
 */
export async function loadPyodide(options: LoadPyodideOptions = {}): Promise<PyodideAPI> {
  const { signal } = options;
  if (signal?.aborted) {
    throw aborted("the start of Python", signal.reason);
  }
  if (typeof globalThis.location !== "object" || typeof WebAssembly !== "object") {
    throw new TaipanError({
      code: "NOT_SUPPORTED",
      message: "Python needs a browser with WebAssembly",
      hint: "Call loadPyodide in the browser, not while rendering on a server; in Node, use Pyodide's own package.",
    });
  }
  const starting = start(configure(options), options);
  if (signal === undefined) {
    return starting;
  }
  const givenUp = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(aborted("the start of Python", signal.reason)), { once: true });
  });
  return Promise.race([starting, givenUp]);
}

async function start(configuration: Configuration, options: LoadPyodideOptions): Promise<PyodideAPI> {
  try {
    const loading = loadOnce();
    // Awaited below, unless the options fail first.
    loading.catch(() => {});
    const boot = await bootOptions(configuration, options);
    const headStart = new HeadStart(boot, false, options.signal);
    await loading;
    return (await bootPyodide(boot, configuration, host(options, headStart), options.signal)) as PyodideAPI;
  } catch (error) {
    throw error instanceof TaipanError ? error : reviveError(describeError(error));
  }
}

/** What Pyodide's loader makes of its options: `API.config`. */
type Configuration = ReturnType<typeof configure>;

function pyodideOptions({
  cache: _,
  cacheLimit: __,
  indexURLs: ___,
  importsFrom: ____,
  signal: _____,
  onProgress: ______,
  ...given
}: LoadPyodideOptions): PyodideConfig {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function configure(options: LoadPyodideOptions) {
  const { lockFileContents, ...given } = pyodideOptions(options);
  if (lockFileContents !== undefined && given.lockFileURL !== undefined) {
    throw badArgument("lockFileContents", "cannot be given together with lockFileURL");
  }
  for (const name of ["_loadSnapshot", "_makeSnapshot"] as const) {
    if (given[name]) {
      throw badArgument(name, "is not supported: images of memory are made in another way here");
    }
  }
  const indexURL = resolveFolder("indexURL", given.indexURL || DEFAULT_INDEX_URL);
  const lockFileURL = resolveUrl("lockFileURL", given.lockFileURL ?? `${indexURL}pyodide-lock.json`);
  const folder = given.packageBaseUrl ?? (lockFileContents === undefined ? new URL(".", lockFileURL) : undefined);
  const packageBaseUrl = folder === undefined ? undefined : resolveFolder("packageBaseUrl", folder);
  return {
    fullStdLib: false,
    jsglobals: globalThis,
    stdin: typeof globalThis.prompt === "function" ? () => globalThis.prompt() : undefined,
    args: [] as string[],
    packages: [] as string[],
    enableRunUntilComplete: true,
    checkAPIVersion: true,
    ...given,
    env: { HOME: "/home/pyodide", PYTHONINSPECT: "1", ...given.env } as Record<string, string>,
    indexURL,
    lockFileURL,
    lockFileContents,
    packageBaseUrl,
    packageCacheDir: given.packageCacheDir ? resolveFolder("packageCacheDir", given.packageCacheDir) : packageBaseUrl,
    cdnUrl: packageBaseUrl,
  };
}

async function bootOptions(configuration: Configuration, options: LoadPyodideOptions): Promise<BootOptions> {
  const { indexURL, lockFileURL, packageBaseUrl, stdLibURL, packages, env } = configuration;
  const contents: string | Lockfile | undefined = await configuration.lockFileContents;
  return {
    indexURL,
    ...(contents === undefined
      ? { lockFileURL }
      : { lockFileContents: typeof contents === "string" ? contents : JSON.stringify(contents) }),
    ...(packageBaseUrl !== undefined && { packageBaseUrls: [packageBaseUrl] }),
    ...(stdLibURL !== undefined && { stdLibURL: resolveUrl("stdLibURL", stdLibURL) }),
    bytecode: BYTECODE,
    // One name alone will do, as with Pyodide.
    packages: [packages].flat(),
    env,
    ...(options.cache !== undefined && { cache: options.cache }),
    ...(options.cacheLimit !== undefined && { cacheLimit: options.cacheLimit }),
    ...(options.indexURLs !== undefined && { indexURLs: resolveIndexes(options.indexURLs) }),
    importsFrom: options.importsFrom ?? (options.indexURLs === undefined ? "lock" : "indexes"),
  };
}

function host({ onProgress }: LoadPyodideOptions, headStart: HeadStart): EngineHost {
  return {
    importModule: (url) => import(/* webpackIgnore: true */ /* @vite-ignore */ url),
    earlyAnswer: (url) => headStart.take(url),
    loadPart,
    ...(typeof document === "undefined" && { loadPartNow }),
    // What left through Rust would end the task that called, and nobody would hear of it.
    ...(onProgress && { onProgress: (progress) => callBack(onProgress, progress) }),
    // Python's streams are Pyodide's: nothing comes this way.
    onOutput: () => {},
  };
}
