/** The part of wasm-bindgen's module that the worker uses; the build puts the module itself into `dist/wasm/`. */
import type { EngineConstructor } from "../engine.js";

export const Engine: EngineConstructor;

/** Compiles and instantiates the engine's wasm module. */
export default function init(options: { module_or_path: Response | Promise<Response> }): Promise<unknown>;
