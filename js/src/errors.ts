import type { ErrorCode, Frame } from "./boundary.js";

/** What an error says, as plain data: it crosses from the worker in this form. */
export interface ErrorDetails {
  code: ErrorCode;
  message: string;
  /** What to do next, a sentence. */
  hint?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
  type?: string | undefined;
  traceback?: string | undefined;
  frames?: Frame[] | undefined;
  errno?: string | undefined;
  path?: string | undefined;
  packages?: FailedPackage[] | undefined;
  suggestions?: string[] | undefined;
  restarted?: boolean | undefined;
}

/** A package that could not be loaded, and why. */
export interface FailedPackage {
  name: string;
  message: string;
  code: ErrorCode;
}

/** Every error of this package. `code` says which one; codes never change their meaning. */
export class TaipanError extends Error {
  static {
    TaipanError.prototype.name = "TaipanError";
  }

  /** Stable, for programs. */
  readonly code: ErrorCode;
  /** What to do next, a sentence; absent where there is nothing to say. */
  readonly hint: string | undefined;

  constructor(details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.hint = details.hint;
  }
}

/** A file that Python needs could not be had, or is not what it should be (`LOAD_HTTP`, `BAD_WASM`, …). */
export class LoadError extends TaipanError {
  static {
    LoadError.prototype.name = "LoadError";
  }

  /** For `PACKAGES_FAILED`: every package that failed. Otherwise empty. */
  readonly packages: readonly FailedPackage[];

  constructor(details: ErrorDetails) {
    super(details);
    this.packages = details.packages ?? [];
  }
}

/** A file has arrived, but not with the bytes that were promised (`INTEGRITY`). */
export class IntegrityError extends LoadError {
  static {
    IntegrityError.prototype.name = "IntegrityError";
  }
}

/** Nobody has a package of that name (`PACKAGE_NOT_FOUND`). */
export class PackageNotFoundError extends TaipanError {
  static {
    PackageNotFoundError.prototype.name = "PackageNotFoundError";
  }

  /** Names that are near, the nearest first. */
  readonly suggestions: readonly string[];

  constructor(details: ErrorDetails) {
    super(details);
    this.suggestions = details.suggestions ?? [];
  }
}

/** What was asked for cannot be satisfied or not be understood (`RESOLUTION`, `BAD_REQUIREMENT`). */
export class ResolutionError extends TaipanError {
  static {
    ResolutionError.prototype.name = "ResolutionError";
  }
}

/** A file-system call failed (`FILE_SYSTEM`). */
export class FileSystemError extends TaipanError {
  static {
    FileSystemError.prototype.name = "FileSystemError";
  }

  /** The errno's name, such as `"ENOENT"`. */
  readonly errno: string | undefined;
  /** The path that was asked for. */
  readonly path: string | undefined;

  constructor(details: ErrorDetails) {
    super(details);
    this.errno = details.errno;
    this.path = details.path;
  }
}

/** Python raised an exception which the code did not catch (`PYTHON`). */
export class PythonError extends TaipanError {
  static {
    PythonError.prototype.name = "PythonError";
  }

  /** The exception's class, such as `"ZeroDivisionError"`. */
  readonly type: string;
  /** The traceback as Python prints it, with the user's frames only. */
  readonly traceback: string;
  /** The user's frames, the outermost first. */
  readonly frames: readonly Frame[];

  constructor(details: ErrorDetails) {
    super(details);
    this.type = details.type ?? "Exception";
    this.traceback = details.traceback ?? details.message;
    this.frames = details.frames ?? [];
  }
}

/** What was under way has been stopped. */
abstract class StoppedError extends TaipanError {
  /** Whether stopping it took a new interpreter: variables, files and packages of the old one are gone. Only of a run. */
  readonly restarted: boolean;

  constructor(details: ErrorDetails) {
    super(details);
    this.restarted = details.restarted ?? false;
  }
}

/** A run took longer than its `timeoutMs` (`TIMEOUT`). */
export class TimeoutError extends StoppedError {
  static {
    TimeoutError.prototype.name = "TimeoutError";
  }
}

/** A run was interrupted (`INTERRUPTED`). */
export class InterruptedError extends StoppedError {
  static {
    InterruptedError.prototype.name = "InterruptedError";
  }
}

/** An `AbortSignal` has ended what was under way (`ABORTED`). `cause` is the signal's reason. */
export class AbortedError extends StoppedError {
  static {
    AbortedError.prototype.name = "AbortedError";
  }
}

/** The interpreter is broken and answers nothing any more until `restart()` (`FATAL`). */
export class FatalError extends TaipanError {
  static {
    FatalError.prototype.name = "FatalError";
  }
}

/** Whether something caught is an error of this package, and, where asked, one with this code. */
export function isTaipanError(value: unknown, code?: ErrorCode): value is TaipanError {
  return value instanceof TaipanError && (code === undefined || value.code === code);
}
