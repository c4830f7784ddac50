/** What the worker's entry hands to the script that it imports, `wasm/engine.js`. */
import type { EarlyStore, ShippedBytecode } from "./boundary.js";
import type { ToWorker } from "./protocol.js";
import type { Addresses } from "./wasm_module.js";

/** What has been begun, and what only the entry can find, which bundlers look into. */
export interface WorkerStart {
  addresses: Addresses;
  bytecode: Record<string, ShippedBytecode>;
  /** The wasm module; `undefined` if it could not be had in this way, of which the engine finds out and says why. */
  compiled: Promise<WebAssembly.Module | undefined>;
  /** What `findStore` finds. */
  store: Promise<EarlyStore | "none" | undefined>;
  /** Messages that came before the script was there. */
  waiting: ToWorker[];
  /** Takes a message. The script puts its own in the place of the one that collects them. */
  receive(message: ToWorker): void;
}

/** Where it lies for a moment: no name that Python's `js`, or a script of the page's in this worker, would come upon. */
const PLACE = Symbol.for("taipan.start");

type Place = { [PLACE]?: WorkerStart | undefined };

export function handOver(start: WorkerStart): void {
  (globalThis as Place)[PLACE] = start;
}

/** Throws where nothing has been handed over: the script is of no use by itself. */
export function takeOver(): WorkerStart {
  const place = globalThis as Place;
  const start = place[PLACE];
  if (start === undefined) {
    throw new Error("engine.js is for worker.js to import");
  }
  delete place[PLACE];
  return start;
}
