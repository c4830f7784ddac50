/**
 * Builds what is out of date.
 *
 *   node scripts/build.mjs         the wasm module, the npm package's files (dist/) and the page (build/)
 *   node scripts/build.mjs wasm    crate/web and crate/node, each into its pkg/
 *   node scripts/build.mjs node    crate/node alone, which is all that the command line needs
 *   node scripts/build.mjs js      js/ and the wasm module into dist/
 *   node scripts/build.mjs www     www/ into build/
 */
import { pathToFileURL } from "node:url";
import { buildPackage } from "./build/package.mjs";
import { buildPage } from "./build/page.mjs";
import { buildNodeWasm, buildWasm } from "./build/wasm.mjs";
import { main, Problem } from "./common/problem.mjs";
import { setUp } from "./setup.mjs";

const PARTS = { node: buildNodeWasm, wasm: buildWasm, js: buildPackage, www: buildPage };

/** Builds these parts, in the order in which each needs the one before. */
export async function build(parts = ["wasm", "js", "www"]) {
  for (const part of parts) {
    if (!PARTS[part]) {
      throw new Problem(
        `There is nothing to build that is called ${part}.`,
        `Choose one of ${Object.keys(PARTS).join(", ")}.`,
      );
    }
    await PARTS[part]();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(async (parts) => {
    await setUp("build");
    await build(parts.length > 0 ? parts : undefined);
  });
}
