/** The options of Pyodide's `loadPyodide`. */
import type { Dynamic } from "./pyodide_ffi.js";
import type { FSType } from "./pyodide_fs.js";
import type { Lockfile } from "./pyodide_lock.js";

/** The options of Pyodide's `loadPyodide`. URLs may be relative to the page or the worker's script. */
export interface PyodideConfig {
  /** Folder of the distribution. Default: Pyodide 0.28.3 from jsDelivr. */
  indexURL?: string;
  /** Used in Node only, and given back as `lockfileBaseUrl`. */
  packageCacheDir?: string;
  /** Where the lock file is. Default: `pyodide-lock.json` in `indexURL`. */
  lockFileURL?: string;
  /** The lock file itself: parsed, as text, or a promise for either. Not together with `lockFileURL`. */
  lockFileContents?: Lockfile | string | Promise<Lockfile | string>;
  /** Folder of the wheels. Default: the folder of the lock file, or `indexURL` where `lockFileContents` is given. */
  packageBaseUrl?: string;
  /** Loads the standard library's modules that Pyodide 0.28 keeps in packages. Without effect in 314. */
  fullStdLib?: boolean;
  /** Where the standard library is. Default: `python_stdlib.zip` in `indexURL`. */
  stdLibURL?: string;
  /** Answers `input()`. Default: `prompt`, on a page. */
  stdin?: () => string | null | undefined;
  /** Gets standard output, a line at a time. Default: the console. */
  stdout?: (message: string) => void;
  /** Gets standard error, a line at a time. Default: the console. */
  stderr?: (message: string) => void;
  /** What Python imports as `js`. Default: `globalThis`. */
  jsglobals?: object;
  /** Arguments of Python's command line. */
  args?: string[];
  /** Environment variables. `HOME` is `/home/pyodide` unless given. */
  env?: Record<string, string>;
  /** Packages to load at start: they are fetched while Python starts. */
  packages?: string[];
  /** Whether Python's `repr` makes a proxy's string, as it did before 0.27. */
  pyproxyToStringRepr?: boolean;
  /** Whether `run_until_complete` waits where the browser can suspend Python's stack. Default: true. */
  enableRunUntilComplete?: boolean;
  /** Taken and not needed: all files of a known release are held against their hashes. */
  checkAPIVersion?: boolean;
  /** Called with the file system before Python starts. */
  fsInit?: (FS: FSType, info: { sitePackages: string }) => Promise<void> | void;
  /** Whether `null` becomes `None`, as it did before 0.28. */
  convertNullToNone?: boolean;
  /** Whether dictionaries become `LiteralMap`, as they did before 314. */
  toJsLiteralMap?: boolean;
  /** `sys.executable`. */
  _sysExecutable?: string;
  /** Refused, as `_loadSnapshot` is. */
  _makeSnapshot?: boolean;
  _loadSnapshot?: Uint8Array | ArrayBuffer | PromiseLike<Uint8Array | ArrayBuffer>;
  _snapshotDeserializer?: (value: Dynamic) => Dynamic;
  /** Taken and not needed: the glue is always had from the distribution. Of 314. */
  createPyodideModule?: (settings: Dynamic) => Promise<Dynamic>;
  /** Taken and not needed. */
  BUILD_ID?: string;
  cdnUrl?: string;
}

/** The options with none left out. */
export type PyodideConfigWithDefaults = Required<PyodideConfig>;
