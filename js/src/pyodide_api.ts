/**
 * The types of Pyodide's API object, as Pyodide's documentation describes it (0.28 and 314). They are here so that a
 * program needs no other package; Pyodide's own declarations describe the same object.
 */

/** What Python gives or takes has no type that TypeScript could know. */
// biome-ignore lint/suspicious/noExplicitAny: as in Pyodide's own declarations, lest every use need a cast.
export type Dynamic = any;

/** A Python object that JavaScript holds. It has to be destroyed when it is not needed any more. */
export interface PyProxy {
  /** The Python object's attributes. */
  [attribute: string]: Dynamic;
  /** The name of the Python type. */
  readonly type: string;
  /** `str()` of the object. */
  toString(): string;
  /** Lets Python free the object; the proxy cannot be used afterwards. */
  destroy(options?: { message?: string; destroyRoundtrip?: boolean }): void;
  /** Another proxy for the same object. */
  copy(): this;
  /** The object as JavaScript data: lists as arrays, dictionaries as maps, and so on in depth. */
  toJs(options?: ToJsOptions): Dynamic;
}

/** How Python data becomes JavaScript data. */
export interface ToJsOptions {
  /** How deep; -1 is all the way. */
  depth?: number;
  /** Proxies that had to be made are added here. */
  pyproxies?: PyProxy[];
  /** If false, what cannot be converted throws instead of becoming a proxy. */
  create_pyproxies?: boolean;
  /** Makes something of an iterable of pairs; default: `Map`, and an object in 314. */
  dict_converter?: (pairs: Iterable<[key: string, value: Dynamic]>) => Dynamic;
  /** Makes something of what has no conversion. */
  default_converter?: (
    value: PyProxy,
    convert: (value: PyProxy) => Dynamic,
    cacheConversion: (from: PyProxy, to: Dynamic) => void,
  ) => Dynamic;
}

/** A proxy of a callable. */
export interface PyCallable extends PyProxy {
  (...args: Dynamic[]): Dynamic;
  /** Calls it with the last argument's properties as keyword arguments. */
  callKwargs(...args: Dynamic[]): Dynamic;
  /** Calls it so that Python's stack may be suspended; needs JavaScript Promise Integration. */
  callPromising(...args: Dynamic[]): Promise<Dynamic>;
}

/** A proxy of a dictionary. */
export interface PyDict extends PyProxy {
  readonly length: number;
  get(key: Dynamic): Dynamic;
  set(key: Dynamic, value: Dynamic): void;
  has(key: Dynamic): boolean;
  delete(key: Dynamic): void;
  [Symbol.iterator](): Iterator<Dynamic>;
}

/** What a view of bytes may be. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Uint8ClampedArray
  | Float32Array
  | Float64Array;

/** A package that was loaded. */
export interface PackageData {
  name: string;
  version: string;
  fileName: string;
  packageType: string;
}

/** A package of a lock file. */
export interface LockfilePackage {
  name: string;
  version: string;
  file_name: string;
  install_dir: string;
  sha256: string;
  package_type: string;
  imports: string[];
  depends: string[];
  [more: string]: unknown;
}

/** A `pyodide-lock.json`. */
export interface Lockfile {
  info: { arch: string; platform: string; version: string; python: string; [more: string]: unknown };
  packages: Record<string, LockfilePackage>;
  [more: string]: unknown;
}

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
}

/** What `FS.stat` gives. */
export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  size: number;
  atime: Date;
  mtime: Date;
  ctime: Date;
}

/** Emscripten's file system API. */
export interface FSType {
  filesystems: Record<"MEMFS" | "IDBFS" | "NODEFS" | "WORKERFS" | "PROXYFS" | "NATIVEFS_ASYNC", Dynamic>;
  readFile(path: string, options: { encoding: "utf8"; flags?: string }): string;
  readFile(path: string, options?: { encoding?: "binary"; flags?: string }): Uint8Array;
  writeFile(path: string, data: string | ArrayBufferView, options?: { mode?: number; flags?: string }): void;
  mkdir(path: string, mode?: number): Dynamic;
  mkdirTree(path: string, mode?: number): void;
  rmdir(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  readdir(path: string): string[];
  readlink(path: string): string;
  symlink(target: string, path: string): Dynamic;
  stat(path: string): Stat;
  lstat(path: string): Stat;
  chmod(path: string, mode: number): void;
  utime(path: string, accessed: number, modified: number): void;
  truncate(path: string, length: number): void;
  open(path: string, flags: string | number, mode?: number): Dynamic;
  close(stream: Dynamic): void;
  read(stream: Dynamic, buffer: ArrayBufferView, offset: number, length: number, position?: number): number;
  write(stream: Dynamic, buffer: ArrayBufferView, offset: number, length: number, position?: number): number;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  isLink(mode: number): boolean;
  cwd(): string;
  chdir(path: string): void;
  mount(type: Dynamic, options: object, mountPoint: string): Dynamic;
  unmount(mountPoint: string): void;
  syncfs(populate: boolean, callback: (error: Dynamic) => void): void;
  lookupPath(path: string, options?: object): { path: string; node: Dynamic };
  analyzePath(path: string, dontResolveLastLink?: boolean): Dynamic;
  registerDevice(device: number, operations: object): void;
  makedev(major: number, minor: number): number;
  mkdev(path: string, mode: number, device?: number): Dynamic;
  [more: string]: Dynamic;
}

/** What `mountNativeFS` gives. */
export interface NativeFS {
  /** Writes what Python has changed into the user's directory. */
  syncfs(): Promise<void>;
}

/** An exception of Python's in JavaScript: an instance of `pyodide.ffi.PythonError`. */
export interface PythonError extends Error {
  /** The class of the exception, such as `"ValueError"`. */
  type: string;
}

/** The object that `loadPyodide` gives. */
export interface PyodideAPI {
  /** Pyodide's version, such as `"0.28.3"`. */
  version: string;
  /** `__main__`'s variables; `get` finds built-ins too. */
  globals: PyDict;
  FS: FSType;
  PATH: Dynamic;
  canvas: Dynamic;
  ERRNO_CODES: Record<string, number>;
  /** The Python package `pyodide`. */
  pyodide_py: PyProxy;
  /** The classes of proxies, and `PythonError`. */
  ffi: Record<string, Dynamic>;
  /** Where each package came from: an address, or `"default channel"` for those of the lock file. */
  loadedPackages: Record<string, string>;
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
  toPy(
    value: Dynamic,
    options?: {
      depth?: number;
      defaultConverter?: (
        value: Dynamic,
        convert: (value: Dynamic) => Dynamic,
        cacheConversion: (from: Dynamic, to: Dynamic) => void,
      ) => Dynamic;
    },
  ): Dynamic;
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
  /** What is Emscripten's and Pyodide's own. */
  _module: Dynamic;
  _api: Dynamic;
}

/** The name that `PyodideAPI` had. */
export type PyodideInterface = PyodideAPI;

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
  _makeSnapshot?: boolean;
  _loadSnapshot?: unknown;
}
