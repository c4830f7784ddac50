/**
 * The types of Pyodide's API object, as Pyodide's documentation describes it (0.28 and 314). They are here so that a
 * program needs no other package; Pyodide's own declarations describe the same object.
 */
import type { Dynamic, PyodideFFI, PyProxy, ToPyOptions, TypedArray } from "./pyodide_ffi.js";
import type { FSType } from "./pyodide_fs.js";
import type { Lockfile, PackageData } from "./pyodide_lock.js";

/** How packages are loaded. */
export interface LoadPackageOptions {
  /** Gets what is done, a line at a time. Default: Python's standard output. */
  messageCallback?: (message: string) => void;
  /** Gets what failed. Default: Python's standard error. */
  errorCallback?: (message: string) => void;
  /** Whether the hashes of the lock file count. Default: true. */
  checkIntegrity?: boolean;
}

/** How code is run. */
export interface RunPythonOptions {
  globals?: PyProxy;
  locals?: PyProxy;
  /** The name in tracebacks. Default: `"<exec>"`. */
  filename?: string;
  /** Whether indentation that all lines share is taken away; an option of 314. Default: true. */
  dedent?: boolean;
}

/** Where standard input comes from. */
export interface StdinOptions {
  stdin?: () => string | null | undefined | ArrayBuffer | ArrayBufferView | number;
  read?: (buffer: Uint8Array) => number;
  error?: boolean;
  isatty?: boolean;
  autoEOF?: boolean;
}

/** Where an output stream goes. */
export interface StreamOptions {
  batched?: (text: string) => void;
  raw?: (byte: number) => void;
  write?: (buffer: Uint8Array) => number;
  isatty?: boolean;
  /** Of 314. */
  fsync?: () => void;
  /** Of 314. */
  getTerminalSize?: () => { rows: number; columns: number } | undefined;
}

/** The canvases that packages with SDL draw on; their `id` has to be `canvas`. */
export interface CanvasInterface {
  setCanvas2D(canvas: HTMLCanvasElement): void;
  getCanvas2D(): HTMLCanvasElement | undefined;
  setCanvas3D(canvas: HTMLCanvasElement): void;
  getCanvas3D(): HTMLCanvasElement | undefined;
}

/** What `mountNativeFS` gives. */
export interface NativeFS {
  /** Writes what Python has changed into the user's directory. */
  syncfs(): Promise<void>;
}

/** The object that `loadPyodide` gives. */
export interface PyodideAPI {
  /** Pyodide's version, such as `"0.28.3"`. */
  version: string;
  /** `__main__`'s variables; `get` finds built-ins too. */
  globals: PyProxy;
  FS: FSType;
  PATH: Dynamic;
  canvas: CanvasInterface;
  ERRNO_CODES: { [name: string]: number };
  /** The Python package `pyodide`. */
  pyodide_py: PyProxy;
  /** The classes of proxies, and `PythonError`. */
  ffi: PyodideFFI;
  /** Where each package came from: an address, or `"default channel"` for those of the lock file. */
  loadedPackages: { [name: string]: string };
  /** The lock file. */
  readonly lockfile: Lockfile;
  /** Where the lock file's relative addresses begin. */
  readonly lockfileBaseUrl: string | undefined;
  /** Runs code; gives its last expression. */
  runPython(code: string, options?: RunPythonOptions): Dynamic;
  /** As `runPython`, with `await` at top level. */
  runPythonAsync(code: string, options?: RunPythonOptions): Promise<Dynamic>;
  /** Loads packages of the lock file, with what they need, and wheels by address. */
  loadPackage(names: string | string[] | PyProxy, options?: LoadPackageOptions): Promise<PackageData[]>;
  /** Loads the packages of the lock file that code imports. */
  loadPackagesFromImports(code: string, options?: LoadPackageOptions): Promise<PackageData[]>;
  /** Imports a module, or something of a module. */
  pyimport(name: string): Dynamic;
  /** Makes Python data of JavaScript data. */
  toPy(value: Dynamic, options?: ToPyOptions): Dynamic;
  registerJsModule(name: string, module: object): void;
  unregisterJsModule(name: string): void;
  registerComlink(comlink: Dynamic): void;
  /** Unpacks an archive; formats are those of Python's `shutil`, and `"wheel"`. */
  unpackArchive(archive: TypedArray | ArrayBuffer, format: string, options?: { extractDir?: string }): void;
  /** Shows a directory of the user, or of the origin private file system. */
  mountNativeFS(path: string, directory: FileSystemDirectoryHandle): Promise<NativeFS>;
  /** Works in Node only. */
  mountNodeFS(path: string, directory: string): void;
  setStdin(options?: StdinOptions): void;
  setStdout(options?: StreamOptions): void;
  setStderr(options?: StreamOptions): void;
  /** Shared memory whose first element is a signal to Python: 2 raises `KeyboardInterrupt`. */
  setInterruptBuffer(buffer: TypedArray | undefined): void;
  checkInterrupt(): void;
  /** Better messages for mistakes with proxies; gives what was set before. */
  setDebug(debug: boolean): boolean;
}

/** The name that `PyodideAPI` had. */
export type PyodideInterface = PyodideAPI;
