/**
 * The package's modules as few files: a browser spends milliseconds on each file, from its cache too, in the page and again
 * in the worker.
 */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { localCache, root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";

/** Where the modules are that the files are made of, one for each of `js/src`. */
export const modules = join(localCache, "js");

/** What most pages import, in one file: it is there with the first answer. */
const INDEX = "index";
/** The other entries share what they have in common. */
const ENTRIES = ["element", "pyodide", "view"];
/** Modules that have nothing but what `index` exports. The other entries have it from there: a class is the same in all. */
const IN_INDEX = /^\.{1,2}\/(errors|load)\.js$/;
const WORKER = "worker";
/**
 * The script that the worker imports: without imports and exports, so that it is whole wherever a bundler puts it, and beside the
 * wasm module, with which it is copied. A worker calls most of its functions, so they are compiled together, where a browser
 * takes that hint (V8's explicit compile hints), and kept together.
 */
const ENGINE = {
  in: "engine_worker",
  out: "wasm/engine",
  format: "iife",
  banner: { js: "//# allFunctionsCalledOnLoad" },
};

/** What wasm-bindgen writes for a caller that does not say where the module is. Ours always does, and bundlers look for it. */
const DEFAULT_ADDRESS = "new URL('taipan_web_bg.wasm', import.meta.url)";

const withoutDefaultAddress = {
  name: "without-default-address",
  setup: ({ onLoad }) =>
    onLoad({ filter: /taipan_web\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (!source.includes(DEFAULT_ADDRESS)) {
        throw new Problem(
          `wasm-bindgen does not write \`${DEFAULT_ADDRESS}\` any more.`,
          `See what it writes in ${relative(root, path)}, and have scripts/build/bundle.mjs look for that.`,
        );
      }
      return { contents: source.replace(DEFAULT_ADDRESS, "undefined"), loader: "js" };
    }),
};

const fromIndex = {
  name: "from-index",
  setup: ({ onResolve }) => onResolve({ filter: IN_INDEX }, () => ({ path: `./${INDEX}.js`, external: true })),
};

/**
 * Writes the files into a folder. Lines and names stay readable, for who reads a stack trace, and so do the comments that
 * keep other bundlers from an address (`webpackIgnore`).
 */
export async function bundle(folder) {
  // The set-up may have installed it only now.
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
    legalComments: "none",
    plugins: [withoutDefaultAddress],
    logLevel: "warning",
  };
  await build({ ...options, entryPoints: [INDEX, WORKER].map(module) });
  const { in: engine, out, ...form } = ENGINE;
  await build({ ...options, ...form, entryPoints: [{ in: module(engine), out }] });
  const plugins = [...options.plugins, fromIndex];
  const shared = { splitting: true, chunkNames: "shared-[hash]" };
  await build({ ...options, ...shared, plugins, entryPoints: ENTRIES.map(module) });
}
