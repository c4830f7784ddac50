/** Errors that several modules raise, in the same words. */
import { AbortedError, TaipanError } from "./errors.js";

/** The error for what a caller passed; `option` is its name. */
export function badArgument(option: string, problem: string, hint?: string): TaipanError {
  return new TaipanError({ code: "BAD_ARGUMENT", message: `${option} ${problem}`, hint });
}

/** Checks that options are an object that has no others than those of a method: a misspelt one would do nothing. */
export function checkOptions(method: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw badArgument("options", `of ${method} must be an object`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw badArgument(name, `is not an option of ${method}`, `Options are ${names.join(", ")}.`);
    }
  }
}

/** The error for work that an `AbortSignal` has ended. */
export function aborted(what: string, cause: unknown): AbortedError {
  return new AbortedError({ code: "ABORTED", message: `${what} was aborted`, cause });
}
