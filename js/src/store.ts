import type { StoreUsage } from "./boundary.js";
import type { Connection } from "./connection.js";
import { forgetFiles } from "./known_files.js";

/** What is kept in this browser from one visit to the next, for all pages of this origin. */
export class Store {
  readonly #connection: () => Connection;

  /** @internal */
  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  /** How much there is, and how much there may be. */
  async usage(): Promise<StoreUsage> {
    return this.#connection().request("storeUsage", []);
  }

  /** Forgets everything. What runs, here or in another tab, goes on. */
  async clear(): Promise<void> {
    forgetFiles();
    await this.#connection().request("storeClear", []);
  }
}
