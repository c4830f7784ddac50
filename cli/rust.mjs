/** `crate/node`: which packages meet requirements, and what is in a wheel. */
import { readFile } from "node:fs/promises";
import { Problem } from "./problem.mjs";

/** In the package beside this file; in the repository where wasm-pack leaves it. */
const PLACES = ["./wasm/", "../crate/node/pkg/"].map((folder) => new URL(folder, import.meta.url));

let loading;

async function load() {
  for (const place of PLACES) {
    const module = await readFile(new URL("taipan_node_bg.wasm", place)).catch(() => undefined);
    if (!module) continue;
    const bindings = await import(new URL("taipan_node.js", place).href);
    bindings.initSync({ module });
    return bindings;
  }
  throw new Problem("A part of this package is missing: taipan_node_bg.wasm.", "Install the package again.");
}

/** @returns {Promise<typeof import("../crate/node/pkg/taipan_node.js")>} */
export function rust() {
  loading ??= load();
  return loading;
}
