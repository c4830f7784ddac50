import type {
  BootOptions,
  CheckpointInfo,
  EngineHost,
  FileStat,
  ImageRequest,
  InstallOptions,
  KeptImage,
  KnownFiles,
  MemoryUse,
  PackageInfo,
  RunEnd,
  RunRequest,
  StoreBackend,
  StoreUsage,
  Timings,
} from "./boundary.js";

/** What can be put into the file system without copying it there first. */
export type MountSource = File | Blob | Uint8Array | FileSystemDirectoryHandle;

/**
 * The Rust engine as wasm-bindgen exposes it to the worker: one CPython. Every method throws or rejects with an
 * `EngineError`; an error without a `code` is a bug of the engine.
 */
export interface Engine {
  /** Runs Python. One run at a time: the next may start when this one has settled. */
  run(request: RunRequest): Promise<RunEnd>;
  /** Cancels a run that is awaiting something. `false` if that run is not awaiting. */
  cancel(run: number): boolean;
  /** Puts packages and all they need on the path: names from the lock file or URLs of wheels. */
  loadPackage(names: string[], signal?: AbortSignal): Promise<PackageInfo[]>;
  /** Puts on the path what the code imports, as far as the lock file has it. */
  loadPackagesFromImports(code: string, signal?: AbortSignal): Promise<PackageInfo[]>;
  /** Puts on the path what meets requirements, from the lock file and from package indexes. */
  install(requirements: string[], options: InstallOptions, signal?: AbortSignal): Promise<PackageInfo[]>;
  /** The text of a lock file with everything that is on the path. */
  freeze(): Promise<string>;
  /** What is on the path. */
  loadedPackages(): PackageInfo[];
  /** A global variable of `__main__` as plain data, `undefined` where it is missing, `None` or has no such form. */
  globalsGet(name: string): unknown;
  /** Sets a global variable of `__main__` from plain data. */
  globalsSet(name: string, value: unknown): void;
  /** The bytes of a file, a copy which the caller owns: the worker transfers its buffer to the page. */
  readFile(path: string): Uint8Array;
  /** Writes a file, replacing what it held. */
  writeFile(path: string, data: Uint8Array): void;
  /** Makes a directory; with `recursive` its parents too, and no error if it exists. */
  mkdir(path: string, recursive: boolean): void;
  /** The names in a directory, without `.` and `..`. */
  readdir(path: string): string[];
  /** `os.stat`. */
  stat(path: string): FileStat;
  /** `os.lstat`. */
  lstat(path: string): FileStat;
  /** `os.rename`. */
  rename(from: string, to: string): void;
  /** `os.unlink`. */
  unlink(path: string): void;
  /** `os.rmdir`. */
  rmdir(path: string): void;
  /** Shows a file or a folder of the user at a path. */
  mount(path: string, source: MountSource): Promise<void>;
  /** Ends a mount. */
  unmount(path: string): void;
  /** An image of the interpreter as it is, in pieces that belong one behind the other. Nothing may be running. */
  bake(): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Bakes an image and keeps it in this browser under a name, unless `signal` aborts before it is written. */
  keepImage(name: string, signal?: AbortSignal): Promise<void>;
  /** The images that are kept under a name. */
  images(): Promise<KeptImage[]>;
  /** Forgets the image of a name. */
  forgetImage(name: string): Promise<void>;
  /** Keeps the interpreter as it is, to go back to. Nothing may be running. */
  checkpoint(): Promise<CheckpointInfo>;
  /** Makes the interpreter be as it was at a checkpoint. Nothing may be running. */
  rollback(id: number): Promise<void>;
  /** Lets go of a checkpoint, if it is there. */
  disposeCheckpoint(id: number): void;
  /** What an image for the next start should hold; `undefined` if there is one that does, or none can be kept. */
  imageWanted(): Promise<ImageRequest | undefined>;
  /** Makes the image of a request: imports modules, and keeps it for the next start. Says whether it is kept. */
  makeImage(key: string, modules: string[], atWork: string[]): Promise<boolean>;
  /** Forgets the image that was made by itself for starts like this one. */
  forgetAutomaticImage(): Promise<void>;
  /** Sizes of the memories. */
  memory(): MemoryUse;
  /** How long the boot took and what has been moved so far. */
  timings(): Timings;
  /** Where things are kept for the next visit. */
  storeBackend(): StoreBackend;
  /** How much is kept for this origin. */
  storeUsage(): Promise<StoreUsage>;
  /** Forgets everything that is kept for this origin. */
  storeClear(): Promise<void>;
  /** What the distribution's files are, for the next start. */
  knownFiles(): KnownFiles;
  /** Version of the distribution, such as `"0.28.3"`. */
  version(): string;
  /** Version of Python, such as `"3.13.2"`. */
  pythonVersion(): string;
  /** Gives back the engine's memory. Nothing may be called afterwards. */
  free(): void;
}

/** The class object of {@link Engine}. */
export interface EngineConstructor {
  /** Starts CPython. `signal` ends the start with an `ABORTED` error. */
  boot(options: BootOptions, host: EngineHost, signal?: AbortSignal): Promise<Engine>;
}
