/**
 * The package's modules as few files: a page that imports many small ones waits for them one after the other, from its
 * cache too.
 */
import { join } from "node:path";
import { localCache, root } from "../common/paths.mjs";

/** Where the modules are that the files are made of, one for each of `js/src`. */
export const modules = join(localCache, "js");

/** What pages import. They share what they have in common, so that a class is the same in all of them. */
const ENTRIES = ["index", "element", "pyodide", "view"];
const WORKER = "worker";

/** Writes the files into a folder. The wasm module's own JavaScript stays beside the wasm module. */
export async function bundle(folder) {
  // Not before the set-up has installed it.
  const { build } = await import("esbuild");
  const module = (name) => join(modules, `${name}.js`);
  const options = {
    absWorkingDir: root,
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    minifySyntax: true,
    minifyWhitespace: true,
    external: ["./wasm/*"],
    logLevel: "warning",
  };
  await build({ ...options, entryPoints: ENTRIES.map(module), splitting: true, chunkNames: "shared-[hash]" });
  await build({ ...options, entryPoints: [module(WORKER)] });
}
