/** A stage of starting Python or of bringing packages in, in the order in which they end. */
export type Stage =
  | "fetch"
  | "compile"
  | "glue"
  | "instantiate"
  | "mount"
  | "interpreter"
  | "bootstrap"
  | "packages"
  | "ready"
  | "resolve"
  | "download"
  | "import"
  | "image";

/** Something that takes a while has moved on. */
export interface Progress {
  /** What is being done. */
  stage: Stage;
  /** The file or package it is done to, or `""` where the stage as a whole is meant. */
  name: string;
  /** Bytes done, or steps done where there are no bytes. */
  loaded: number;
  /** Bytes in all, absent while unknown. */
  total?: number;
  /**
   * For a file that is being downloaded: bytes of everything that was asked for so far. `loaded` never grows less.
   * `total` grows as more is asked for, and is absent while any size is unknown: a server that compresses on the way
   * does not say it.
   */
  overall?: { loaded: number; total?: number };
}

/**
 * The same thing in several forms, keyed by MIME type as in Jupyter (`text/plain`, `text/html`, `image/png`,
 * `application/json`, …). Binary forms are base64, text forms are text, JSON forms are plain data.
 */
export type MimeBundle = Record<string, unknown>;

/** A piece of what a run puts out, in the order in which Python produced it. */
export type Output =
  | { type: "stdout" | "stderr"; text: string }
  | { type: "display"; data: MimeBundle; metadata: Record<string, unknown> };

/** A line of a Python traceback. */
export interface Frame {
  /** `co_filename`: the `filename` of the run, or a path in the file system. */
  filename: string;
  /** One-based line number. */
  line: number;
  /** The function's qualified name, `<module>` at top level. */
  name: string;
  /** The source line without its indentation, absent when there is no source. */
  source?: string;
}

/** A ZIP file of `.pyc` files with their paths in the file system. */
export interface ShippedBytecode {
  url: string;
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string;
}

/** What files of a distribution are. */
export interface KnownFiles {
  /** Emscripten's glue. */
  glue: KnownFile;
  /** CPython's module. */
  module: KnownFile;
}

/** What a file of a distribution is. */
export interface KnownFile {
  /** What it is called in the folder of the distribution. */
  name: string;
  /** Its SHA-256, 64 hexadecimal digits in lower case. */
  sha256: string;
  /**
   * What tells the answer in which it came from others: its `Date`, `ETag`, `Last-Modified` and `Content-Length`, a line
   * each, or `""` where the first two cannot be seen. Absent where the HTTP cache has to ask the server first.
   */
  answer?: string;
}

/** What is needed to start Python. Everything is plain data; URLs are absolute. */
export interface BootOptions {
  /** Folder of the distribution: glue, wasm module, standard library and lock file. Ends in `/`. */
  indexURL: string;
  /** Where the lock file is, if not in `indexURL`. */
  lockFileURL?: string;
  /** The lock file itself: `lockFileURL` is then not fetched. */
  lockFileContents?: string;
  /**
   * Folders of the wheels named in the lock file: each has them all, and what one does not give is asked of the next.
   * Default: the folder of the lock file. Each ends in `/`; at least one.
   */
  packageBaseUrls?: string[];
  /** Where the standard library is, if not in `indexURL`; it may be any. */
  stdLibURL?: string;
  /** Roots of package indexes that `install` and imports ask, in order. Default: `["https://pypi.org/simple"]`, as micropip. */
  indexURLs?: string[];
  /**
   * Who may bring what code imports: the lock file and, for what it does not have, the first project of that name on an
   * index; or the lock file alone. Default: `"indexes"`.
   */
  importsFrom?: "indexes" | "lock";
  /** Milliseconds without a byte after which a transfer is given up and tried again. Default: 30 000. */
  stallTimeoutMs?: number;
  /** Whether packages and bytecode may be kept for the next visit. Default: `"persistent"`. */
  cache?: "persistent" | "none";
  /** The most that is kept, in bytes. Default: 512 MiB, or half of what the browser gives the site where that is less. */
  cacheLimit?: number;
  /** Bytecode that does not come with the distribution, by the SHA-256 of the archive it belongs to. */
  bytecode?: Record<string, ShippedBytecode>;
  /** Address of an image to restore, if it fits; else Python starts from the beginning. A copy of it is kept. */
  image?: string;
  /** Name of an image that is kept in this browser, to be restored if there is one and it fits. */
  imageName?: string;
  /** The most bytes of memory that checkpoints hold. Default: 256 MiB. */
  checkpointLimit?: number;
  /** Whether the image that Taipan has made by itself may be restored, and `imageWanted` ask for another. Default: no. */
  automaticImage?: boolean;
  /** Whether the image that Taipan has made by itself is to be forgotten first, and none restored. Default: no. */
  forgetImage?: boolean;
  /** Whether the image that the lock file names may be restored. Default: no. */
  distributionImage?: boolean;
  /** Whether the next visit is to take nothing of what this interpreter does for what pages do. Default: no. */
  isRehearsal?: boolean;
  /**
   * What an earlier visit has found the files to be: a hint, which may be out of date. Files that are what it says are got
   * sooner.
   */
  known?: KnownFiles;
  /** Packages to have on the path when boot is done. */
  packages: string[];
  /** Environment variables. */
  env: Record<string, string>;
}

/** An image that is kept in this browser under a name. */
export interface KeptImage {
  name: string;
  /** Its size. */
  bytes: number;
  /** When it was kept or last restored, in milliseconds since 1970. */
  lastUsed: number;
}

/** A checkpoint that has been taken. */
export interface CheckpointInfo {
  id: number;
  /** Bytes of memory that it has added to those of the checkpoints before it. */
  bytes: number;
}

/** What an image for the next start should hold. */
export interface ImageRequest {
  /** What it is to be kept as: one for each kind of start. */
  key: string;
  /** Packages of the lock file that are to be on the path. */
  packages: string[];
  /** Modules of packages to be imported, in this order. */
  modules: string[];
  /** Side modules that have been called since they were imported, as far as that is known: the paths of their files. */
  atWork: string[];
}

/** How to install. */
export interface InstallOptions {
  /** Roots of package indexes, instead of those of the boot. Absolute. */
  indexURLs?: string[];
  /** Requirements that restrict versions of what is needed anyway. */
  constraints?: string[];
  /** Whether pre-releases are as good as releases. Default: only where nothing else fits. */
  pre?: boolean;
}

/** A part of the engine's module that is fetched when it is first needed: images, or the resolver of requirements. */
export type Part = "checkpoint" | "image" | "resolver";

/** What the engine asks of the worker it runs in. */
export interface EngineHost {
  /** Evaluates a script at a URL: `import(url)`. */
  importModule(url: string): Promise<unknown>;
  /** The answer to a request that was made before the engine was there: `fetch(url)`. To be had once. */
  earlyAnswer?(url: string): Promise<Response> | undefined;
  /**
   * What the glue exports, evaluated by the worker if the page has seen that it is that of `BootOptions.known`; `undefined` if
   * it is not to be had in this way. Absent where nobody looks.
   */
  knownGlue?(): Promise<unknown>;
  /**
   * CPython's module, which the page compiles if it has the SHA-256 of `BootOptions.known`; `undefined` if it is not to be
   * had in this way. Absent where nobody compiles it.
   */
  knownModule?(): Promise<WebAssembly.Module | undefined>;
  /** What the store has, if there is one: found before the engine was there. */
  earlyStore?: Promise<EarlyStore | undefined>;
  /** Gets a part of the engine's module, unless it is there. Rejects with a `LoadError`. */
  loadPart(name: Part): Promise<void>;
  /** As `loadPart`, while everything else waits. Absent where this thread must not block. */
  loadPartNow?(name: Part): void;
  /** Called as things move on. Like the two below, it must not throw. Absent where nobody wants to know. */
  onProgress?(progress: Progress): void;
  /** Called for what the page may want to know and what is no failure. */
  onNotice?(notice: Notice): void;
  /** Called for each piece of output, in order. `run` is the id given to `Engine.run`, 0 outside a run. */
  onOutput(run: number, output: Output): void;
  /** Text that waits to be given to `onOutput`. Absent where nothing is to wait. */
  readonly outputs?: WaitingText;
  /**
   * Blocks until the user has typed a line and returns it without its newline; `null` is end of file. Absent where
   * this browser cannot block.
   */
  readLine?(prompt: string): string | null;
  /** Whether the page asked to interrupt what runs; asking clears it. Absent where there is no shared memory. */
  takeInterrupt?(): boolean;
  /** Whether a signal is pending. Without it nothing can be interrupted. */
  readonly signals?: SignalPoll;
}

/** Text that Python has written, still in the engine's memory: it costs little there, and a loop may print 100,000 lines. */
export interface WaitingText {
  /** Gives what waits to `onOutput`. The engine sets it when it is there. */
  collect: () => void;
  /** Called when there is some, and then not until that has been collected. */
  notice(): void;
}

/** The answer to CPython's question whether a signal is pending: more than a million times a second in a tight loop. */
export interface SignalPoll {
  /** Says what is pending, a signal's number or 0. The engine sets it when it is there. */
  look: () => number;
  /** Now and then what `look` says, otherwise 0. */
  poll: () => number;
  /** Pyodide's interrupt buffer: its element 0 is as `poll`, and setting it does nothing. */
  readonly buffer: { 0: number };
}

/** The folders of the store in the origin private file system, and the files of its index, as far as they are there. */
export interface EarlyStore {
  root: FileSystemDirectoryHandle;
  content: FileSystemDirectoryHandle;
  /** What its index files hold; none if it has just been made. */
  index: (Uint8Array | undefined)[];
}

/** How to run a piece of code. */
export interface RunRequest {
  /** The id that comes back with the outputs. From 1. */
  run: number;
  /** Python source; `await` is allowed at top level. */
  code: string;
  /** The name in tracebacks. */
  filename: string;
  /** Plain data to be set as global variables before the run. */
  globals?: Record<string, unknown>;
  /** Interrupt the run when it has taken longer than this. */
  timeoutMs?: number;
}

/** What a run ended in; the outputs went to `EngineHost.onOutput`. */
export interface RunEnd {
  /** The last expression as plain data; absent where there is none or it has no such form, or it is `None`. */
  value?: unknown;
}

/** A package that is on the path. */
export interface PackageInfo {
  /** Name as in the lock file. */
  name: string;
  /** Version, PEP 440. */
  version: string;
  /** File name of the wheel or archive. */
  fileName: string;
  /** Where it came from: `"lock"`, or the URL of the wheel. */
  source: string;
}

/** `os.stat_result`, as plain data. Times are milliseconds since 1970. */
export interface FileStat {
  kind: "file" | "directory" | "symlink" | "device";
  /** Bytes. */
  size: number;
  /** Permission bits, such as 0o644. */
  mode: number;
  accessed: number;
  modified: number;
  changed: number;
  inode: number;
}

/** How long each stage of the boot took and what it moved. */
export interface Timings {
  /** Milliseconds from the start of the boot to the end of each stage that has ended. */
  stages: Partial<Record<Stage, number>>;
  /** Bytes received from the network or the HTTP cache, decoded. */
  bytesFetched: number;
  /** Side modules compiled. */
  modulesCompiled: number;
  /** Side modules linked into the interpreter. */
  modulesLinked: number;
  /** Files whose contents had to be inflated. */
  filesInflated: number;
  /**
   * Where the image came from that Python started from; absent if it started from the beginning. `address` and `name`: the
   * option `image`; `automatic`: made by Taipan on an earlier visit; `distribution`: named by the lock file.
   */
  image?: "address" | "name" | "automatic" | "distribution";
  /** Why an image was not restored, a sentence; absent if none was wanted or it was restored. */
  imageRefused?: string;
  /** The code of the error that `imageRefused` tells of: with `LOAD_NETWORK` or `LOAD_HTTP` a later start may restore it. */
  imageRefusedCode?: ErrorCode;
}

/** Where the store is: the origin private file system, the Cache API, or nowhere that outlives the interpreter. */
export type StoreBackend = "opfs" | "cache" | "memory" | "none";

/** What is kept in this browser, for all pages of the origin. */
export interface StoreUsage {
  /** Bytes of content. */
  bytes: number;
  /** The most that is kept, in bytes. */
  limit: number;
  /** Pieces of content. */
  entries: number;
  backend: StoreBackend;
}

/** Something that the page may want to know and that is no failure. */
export interface Notice {
  /** `STORE_IN_MEMORY`: nothing more is kept for the next visit; the browser has no room for it or denies it. */
  code: NoticeCode;
  message: string;
  /** What can be done about it, a sentence. */
  hint: string;
}

export type NoticeCode = "STORE_IN_MEMORY";

/** Sizes in bytes. */
export interface MemoryUse {
  /** Linear memory of CPython. */
  interpreter: number;
  /** Linear memory of Taipan. */
  loader: number;
  /** Archives held outside both. */
  archives: number;
  /** Pages of CPython's memory that checkpoints hold. */
  checkpoints: number;
}

/**
 * Every error that `Engine` throws or rejects with is an `Error` with these fields; `code` never changes once
 * published.
 */
export interface EngineError extends Error {
  code: ErrorCode;
  /** What to do next, a sentence. */
  hint?: string;
  /** For `PYTHON`: the exception's type, its traceback as text without our frames, and its frames. */
  type?: string;
  traceback?: string;
  frames?: Frame[];
  /** For file-system errors: the errno's name, such as `"ENOENT"`, and the path. */
  errno?: string;
  path?: string;
  /** For packages: the names that could not be loaded, each with why. */
  packages?: { name: string; message: string; code: ErrorCode }[];
  /** For `PACKAGE_NOT_FOUND`: names that are near. */
  suggestions?: string[];
}

export type ErrorCode =
  | "ABORTED"
  | "BAD_ARGUMENT"
  | "BAD_ARCHIVE"
  | "BAD_INDEX"
  | "BAD_LOCK_FILE"
  | "BAD_REQUIREMENT"
  | "BAD_WASM"
  | "BAD_WHEEL"
  | "CHECKPOINT_GONE"
  | "DISPOSED"
  | "FATAL"
  | "FILE_SYSTEM"
  | "INTEGRITY"
  | "INTERRUPTED"
  | "LOAD_HTTP"
  | "LOAD_NETWORK"
  | "NOT_SUPPORTED"
  | "OUT_OF_MEMORY"
  | "PACKAGES_FAILED"
  | "PACKAGE_NOT_FOUND"
  | "PYTHON"
  | "RESOLUTION"
  | "TIMEOUT"
  | "WORKER"
  | "WRONG_ABI";
