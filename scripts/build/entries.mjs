/**
 * Entries that name at their top everything that is imported below them: a browser without a bundler then asks for all of
 * it at once, and not for one level after another, each as long as a way to the server and back.
 */
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { writeWhole } from "../common/file.mjs";

const ENTRIES = ["index.js", "worker.js", "element.js", "pyodide.js", "view.js"];

/** Static imports of the package's own modules, as the compiler writes them. */
const IMPORT = /^(?:import|export)\b[^"';]*"(\.[^"]+)";$/gm;

/** The modules that a file imports, and those that they import. */
async function below(file, found = new Set()) {
  const source = await readFile(file, "utf8");
  for (const [, address] of source.matchAll(IMPORT)) {
    const imported = join(dirname(file), address);
    if (found.has(imported)) continue;
    found.add(imported);
    await below(imported, found);
  }
  return found;
}

/** Adds the imports to the entries of a folder. The modules have no effects, so bundlers leave such an import out. */
export async function nameImports(dist) {
  for (const entry of ENTRIES.map((name) => join(dist, name))) {
    const source = await readFile(entry, "utf8");
    const direct = new Set([...source.matchAll(IMPORT)].map(([, address]) => join(dist, address)));
    const rest = [...(await below(entry))].filter((file) => !direct.has(file));
    const lines = rest.map((file) => `import "./${relative(dist, file).replaceAll(sep, "/")}";\n`);
    await writeWhole(entry, lines.join("") + source);
  }
}
