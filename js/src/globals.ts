import { badArgument } from "./common_errors.js";
import type { Connection } from "./connection.js";

/** Python's global variables, those of `__main__`. */
export class Globals {
  readonly #connection: () => Connection;

  /** @internal */
  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  /** A variable as plain data. Rejects with `PythonError` if there is none of that name or it has no such form. */
  async get(name: string): Promise<unknown> {
    return this.#connection().request("globalsGet", [checkName(name)]);
  }

  /** Sets a variable to plain data, whatever can be structured-cloned. Rejects with `BAD_ARGUMENT` for what cannot. */
  async set(name: string, value: unknown): Promise<void> {
    await this.#connection().request("globalsSet", [checkName(name), value]);
  }
}

function checkName(name: string): string {
  if (typeof name !== "string" || name === "") {
    throw badArgument("name", "must be the name of a variable");
  }
  return name;
}
