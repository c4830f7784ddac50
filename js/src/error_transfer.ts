import type { ErrorCode } from "./boundary.js";
import {
  AbortedError,
  type ErrorDetails,
  FatalError,
  FileSystemError,
  IntegrityError,
  InterruptedError,
  LoadError,
  PackageNotFoundError,
  PythonError,
  ResolutionError,
  TaipanError,
  TimeoutError,
} from "./errors.js";

/** The class for each code. */
const CLASSES: Record<ErrorCode, typeof TaipanError> = {
  ABORTED: AbortedError,
  BAD_ARGUMENT: TaipanError,
  BAD_ARCHIVE: LoadError,
  BAD_INDEX: LoadError,
  BAD_LOCK_FILE: LoadError,
  BAD_REQUIREMENT: ResolutionError,
  BAD_WASM: LoadError,
  BAD_WHEEL: LoadError,
  CHECKPOINT_GONE: TaipanError,
  DISPOSED: TaipanError,
  FATAL: FatalError,
  FILE_SYSTEM: FileSystemError,
  INTEGRITY: IntegrityError,
  INTERRUPTED: InterruptedError,
  LOAD_HTTP: LoadError,
  LOAD_NETWORK: LoadError,
  NOT_SUPPORTED: TaipanError,
  OUT_OF_MEMORY: TaipanError,
  PACKAGES_FAILED: LoadError,
  PACKAGE_NOT_FOUND: PackageNotFoundError,
  PYTHON: PythonError,
  RESOLUTION: ResolutionError,
  TIMEOUT: TimeoutError,
  WORKER: TaipanError,
  WRONG_ABI: LoadError,
};

const FIELDS = [
  "hint",
  "type",
  "traceback",
  "frames",
  "errno",
  "path",
  "packages",
  "suggestions",
  "restarted",
] as const satisfies (keyof ErrorDetails)[];

/** An error's cause in a form that can always be cloned. */
interface PlainCause {
  name: string;
  message: string;
  stack: string | undefined;
}

/**
 * In the worker: whatever was thrown, as plain data that can always be cloned. What has no code of ours is `FATAL` when
 * the interpreter broke down ({@link isBreakdown}), else `WORKER`. If it was Rust that panicked, the message
 * says so; `crate/web/src/lib.rs` has left it.
 */
export function describeError(thrown: unknown): ErrorDetails {
  const fields: Partial<Record<string, unknown>> = thrown instanceof Error ? { ...thrown } : {};
  const details: ErrorDetails = isErrorCode(fields.code)
    ? { code: fields.code, message: messageOf(thrown) }
    : unexpected(thrown);
  for (const field of FIELDS) {
    if (fields[field] !== undefined) {
      Object.assign(details, { [field]: fields[field] });
    }
  }
  const panic = (globalThis as { taipanPanic?: string }).taipanPanic;
  if (details.code === "FATAL" && panic !== undefined) {
    details.message += ` (a defect of Taipan: ${panic})`;
    details.hint ??= FATAL_HINT;
  }
  const cause = thrown instanceof Error && isErrorCode(fields.code) ? thrown.cause : thrown;
  if (cause !== undefined) {
    details.cause = plainCause(cause);
  }
  return details;
}

/** On the page: the error that {@link describeError} described. */
export function reviveError(details: ErrorDetails): TaipanError {
  const Class = CLASSES[details.code] ?? TaipanError;
  return new Class({ ...details, cause: reviveCause(details.cause) });
}

function unexpected(thrown: unknown): ErrorDetails {
  const message = messageOf(thrown);
  if (isBreakdown(thrown)) {
    return { code: "FATAL", message: `the interpreter crashed: ${message}`, hint: FATAL_HINT };
  }
  return {
    code: "WORKER",
    // `loadPyodide` runs on the thread that calls it.
    message: `unexpected error${typeof document === "undefined" ? " in the worker" : ""}: ${message}`,
    // Each browser has its own words for it.
    ...(/content security policy|\bCSP\b/i.test(message) && { hint: POLICY_HINT }),
  };
}

/**
 * Whether nothing of the interpreter can be relied upon after this error: WebAssembly trapped, or Pyodide's bridge has
 * given the interpreter up and marked the error (a stack that overflowed, an exit).
 */
export function isBreakdown(thrown: unknown): boolean {
  return (
    thrown instanceof WebAssembly.RuntimeError ||
    (thrown instanceof Error && "pyodide_fatal_error" in thrown && thrown.pyodide_fatal_error === true)
  );
}

const POLICY_HINT =
  "Allow 'wasm-unsafe-eval' in `script-src` of the content security policy, in that of the worker's script too.";

/** What to do after a `FATAL` error. */
export const FATAL_HINT = "Call restart() for a fresh interpreter; variables and files of this one are gone.";

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(CLASSES, code);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function plainCause(cause: unknown): PlainCause {
  return cause instanceof Error
    ? { name: cause.name, message: cause.message, stack: cause.stack }
    : { name: "Error", message: String(cause), stack: undefined };
}

function reviveCause(cause: unknown): unknown {
  if (typeof cause !== "object" || cause === null || !("message" in cause)) {
    return cause;
  }
  return Object.assign(new Error(), cause);
}
