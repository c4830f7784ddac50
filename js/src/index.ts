/** The whole public surface of the package. Importing it starts nothing. */
export type {
  ErrorCode,
  FileStat,
  Frame,
  KeptImage,
  MemoryUse,
  MimeBundle,
  Notice,
  NoticeCode,
  Output,
  PackageInfo,
  Progress,
  Stage,
  StoreBackend,
  StoreUsage,
  Timings,
} from "./boundary.js";
export type { Checkpoint } from "./checkpoint.js";
export type { MountSource } from "./engine.js";
export {
  AbortedError,
  type FailedPackage,
  FatalError,
  FileSystemError,
  IntegrityError,
  InterruptedError,
  isTaipanError,
  LoadError,
  PackageNotFoundError,
  PythonError,
  ResolutionError,
  TaipanError,
  TimeoutError,
} from "./errors.js";
export type { Features } from "./features.js";
export type { FileSystem } from "./fs.js";
export type { Globals } from "./globals.js";
export type { Stdin } from "./input.js";
export { type LoadPythonOptions, loadPython } from "./load.js";
export type { InstallOptions, LoadPackageOptions, Python } from "./python.js";
export type { RunOptions, RunResult } from "./run.js";
export type { Store } from "./store.js";
