/** The part of wasm-bindgen's module that is used; the build puts the module itself into `dist/wasm/`. */
import type { BootOptions, EngineHost } from "../boundary.js";
import type { EngineConstructor } from "../engine.js";

export const Engine: EngineConstructor;

/** Starts CPython on this thread; gives Pyodide's own API object. `configuration` becomes its `API.config`. */
export function bootPyodide(
  options: BootOptions,
  configuration: object,
  host: EngineHost,
  signal?: AbortSignal,
): Promise<unknown>;

/** Instantiates a part of the module, which has to be there. */
export function addPart(module: WebAssembly.Module): WebAssembly.Instance;

type Loadable = Response | WebAssembly.Module;

/** Compiles, unless that has been done, and instantiates the engine's wasm module. */
export default function init(options: { module_or_path: Loadable | Promise<Loadable> }): Promise<unknown>;
