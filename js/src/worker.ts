/**
 * The entry of the worker. It fetches and compiles the engine's wasm module, looks into the store and imports the script that
 * drives the engine, all at once. That is a script of its own because browsers keep what they compiled of it for the next visit,
 * which they do not do with the script that a worker is made of.
 */
import { BYTECODE } from "./bytecode.js";
import { compile } from "./compile.js";
import { findStore } from "./early_store.js";
import type { FromWorker, ToWorker } from "./protocol.js";
import { ADDRESSES } from "./wasm_addresses.js";
import { handOver } from "./worker_start.js";

const start = {
  addresses: ADDRESSES,
  bytecode: BYTECODE,
  compiled: fetchModule(ADDRESSES.core).catch(() => undefined),
  store: findStore(),
  waiting: [] as ToWorker[],
  receive: (message: ToWorker) => void start.waiting.push(message),
};
handOver(start);
globalThis.addEventListener("message", (event) => start.receive((event as MessageEvent<ToWorker>).data));

const script = new URL("./wasm/engine.js", import.meta.url);
import(/* webpackIgnore: true */ /* @vite-ignore */ script.href).catch((cause: unknown) => {
  const message = `the worker's script did not load: ${script}: ${cause}`;
  const hint =
    "Check that the wasm folder is served beside worker.js, and that the policy that worker.js is served with allows it.";
  (globalThis as unknown as { postMessage(message: FromWorker): void }).postMessage({
    type: "fatal",
    error: { code: "WORKER", message, hint },
  });
});

async function fetchModule(url: URL): Promise<WebAssembly.Module | undefined> {
  const response = await fetch(url);
  // Whether it may come if it is asked for again is the engine's to say.
  return response.ok ? compile(response) : undefined;
}
