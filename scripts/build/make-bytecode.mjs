/**
 * Writes the ZIP file of `bytecode.py`, in a process of its own: Python does not end by itself.
 *
 *   node scripts/build/make-bytecode.mjs DISTRIBUTION OUT
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, out] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
// Sets in constants are in the order of their hashes.
const python = await loadPyodide({ indexURL: folder, env: { PYTHONHASHSEED: "0" } });
const program = await readFile(new URL("bytecode.py", import.meta.url), "utf8");
await writeFile(out, python.runPython(program).toJs());
process.exit(0);
