/** The engine that was built is the one that the worker is written for. Checked, never run. */
import type { EngineConstructor } from "../../dist/engine.js";
import init, { Engine } from "../../dist/wasm/taipan_web.js";

export const engine: EngineConstructor = Engine;
export const start: (options: { module_or_path: Promise<Response> }) => Promise<unknown> = init;
