/**
 * The messages between the page and its worker. The page sends requests, each with an id; the worker answers each one
 * exactly once and sends events of its own accord. All messages of one side arrive in the order in which they were
 * sent.
 */
import type {
  BootOptions,
  CheckpointInfo,
  FileStat,
  ImageRequest,
  InstallOptions,
  KeptImage,
  KnownFiles,
  MemoryUse,
  Notice,
  Output,
  PackageInfo,
  Progress,
  RunEnd,
  RunRequest,
  StoreBackend,
  StoreUsage,
  Timings,
} from "./boundary.js";
import type { MountSource } from "./engine.js";
import type { ErrorDetails } from "./errors.js";

/** What the page learns when Python has started. */
export interface BootEnd {
  /** Version of the distribution. */
  version: string;
  /** Version of Python. */
  pythonVersion: string;
  /** Where things are kept for the next visit. */
  store: StoreBackend;
  /** What the distribution's files are. */
  known: KnownFiles;
}

/** Everything the page can ask for: what it sends, and what it gets. */
export interface Calls {
  boot: { send: [options: BootOptions, host: HostOptions]; get: BootEnd };
  run: { send: [request: RunRequest]; get: RunEnd };
  loadPackage: { send: [names: string[]]; get: PackageInfo[] };
  loadPackagesFromImports: { send: [code: string]; get: PackageInfo[] };
  install: { send: [requirements: string[], options: InstallOptions]; get: PackageInfo[] };
  freeze: { send: []; get: string };
  loadedPackages: { send: []; get: PackageInfo[] };
  globalsGet: { send: [name: string]; get: unknown };
  globalsSet: { send: [name: string, value: unknown]; get: undefined };
  readFile: { send: [path: string]; get: Uint8Array<ArrayBuffer> };
  writeFile: { send: [path: string, data: Uint8Array]; get: undefined };
  mkdir: { send: [path: string, recursive: boolean]; get: undefined };
  readdir: { send: [path: string]; get: string[] };
  stat: { send: [path: string]; get: FileStat };
  lstat: { send: [path: string]; get: FileStat };
  rename: { send: [from: string, to: string]; get: undefined };
  unlink: { send: [path: string]; get: undefined };
  rmdir: { send: [path: string]; get: undefined };
  mount: { send: [path: string, source: MountSource]; get: undefined };
  unmount: { send: [path: string]; get: undefined };
  bake: { send: []; get: Blob };
  keepImage: { send: [name: string]; get: undefined };
  images: { send: []; get: KeptImage[] };
  forgetImage: { send: [name: string]; get: undefined };
  checkpoint: { send: []; get: CheckpointInfo };
  rollback: { send: [id: number]; get: undefined };
  disposeCheckpoint: { send: [id: number]; get: undefined };
  imageWanted: { send: []; get: ImageRequest | undefined };
  makeImage: { send: [request: ImageRequest]; get: boolean };
  forgetAutomaticImage: { send: []; get: undefined };
  memory: { send: []; get: MemoryUse };
  storeUsage: { send: []; get: StoreUsage };
  storeClear: { send: []; get: undefined };
}

/** What the worker has to know of the page that it serves. */
export interface HostOptions {
  /** The buffer of `shared.ts`, absent where memory cannot be shared. */
  shared?: SharedArrayBuffer;
  /** Whether the page answers `input()`. */
  input: boolean;
  /** Whether the page looks after files that are known, and sends what it finds: `GlueMessage` and `ModuleMessage`. */
  helps: boolean;
  /** Whether the page wants to know how far things are. */
  progress: boolean;
}

export type Method = keyof Calls;
export type Sent<M extends Method> = Calls[M]["send"];
export type Got<M extends Method> = Calls[M]["get"];

/** A request for one method; ids are positive and never used twice on one worker. */
export type RequestOf<M extends Method> = { [N in M]: { type: "request"; id: number; method: N; args: Sent<N> } }[M];
export type Request = RequestOf<Method>;

/** Asks the worker to end a request early. It is answered all the same. */
export interface AbortMessage {
  type: "abort";
  /** The request's id. */
  id: number;
}

/** Says which glue can be evaluated at once. */
export interface GlueMessage {
  type: "glue";
  /** Absent if it is not seen to be the one that is known. */
  url: string | undefined;
}

/** Hands over CPython's module. */
export interface ModuleMessage {
  type: "module";
  /** Absent if it is not to be had in this way. */
  module: WebAssembly.Module | undefined;
}

export type ToWorker = Request | AbortMessage | GlueMessage | ModuleMessage;

/** The answer to a request. */
export type Response =
  | { type: "result"; id: number; value: Got<Method> }
  | { type: "failure"; id: number; error: ErrorDetails };

/** What the worker says unasked. */
export type WorkerEvent =
  | { type: "progress"; progress: Progress }
  | { type: "notice"; notice: Notice }
  /** A run's packages are there and its code begins. */
  | { type: "started"; run: number }
  /** Outputs of one run, in order; run 0 is what Python puts out while no run is under way. */
  | { type: "outputs"; run: number; outputs: Output[] }
  /** Precedes the answers to `boot`, `run` `install` and the two `loadPackage` requests. */
  | { type: "timings"; timings: Timings }
  /** The worker waits for a line, which it takes from the shared buffer. */
  | { type: "input"; prompt: string }
  /** The worker has taken a part of a long line and waits for the next. */
  | { type: "inputContinue" }
  /** The engine is dead, though no request was being served. */
  | { type: "fatal"; error: ErrorDetails };

export type FromWorker = Response | WorkerEvent;
