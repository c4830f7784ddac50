/**
 * The process that runs a distribution's own CPython, started by `interpreter.mjs`. Messages in: `[id, method, argument]`;
 * out: `[id, result, error]`.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

let python;
let module;
let complaints = [];

const methods = {
  async start({ folder }) {
    const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
    const note = (line) => complaints.push(line);
    // The same strings have the same hashes in every run, so sets have the same order.
    python = await loadPyodide({ indexURL: folder, env: { PYTHONHASHSEED: "0" }, stdout: note, stderr: note });
    python.FS.mkdirTree("/taipan-prepare");
    const source = await readFile(new URL("interpreter.py", import.meta.url), "utf8");
    python.FS.writeFile("/taipan-prepare/taipan_prepare.py", source);
    python.runPython("import sys; sys.path.append('/taipan-prepare')");
    module = python.pyimport("taipan_prepare");
  },
  /** Writes `[path, bytes]` pairs into the file system. */
  place(files) {
    for (const [path, bytes] of files) {
      python.FS.mkdirTree(dirname(path));
      python.FS.writeFile(path, bytes);
    }
    python.runPython("import importlib; importlib.invalidate_caches()");
  },
  watch: () => module.watch(),
  tryImport: (name) => module.try_import(name) ?? undefined,
  async run({ source, filename }) {
    await python.runPythonAsync(source, { filename });
  },
  seen: () => module.seen().toJs({ dict_converter: Object.fromEntries, create_pyproxies: false }),
  /** The `.pyc` of each of `{ path, source, modified, size }`. */
  compile: (files) =>
    files.map(({ path, source, modified, size }) => {
      const bytes = python.toPy(new Uint8Array(source)).tobytes();
      const made = module.compile_source(bytes, path, modified, size);
      bytes.destroy();
      if (made === undefined || made === null) return undefined;
      const view = made.getBuffer("u8");
      const copy = Buffer.from(view.data);
      view.release();
      made.destroy();
      return copy;
    }),
};

process.on("message", async ([id, method, argument]) => {
  complaints = [];
  try {
    process.send([id, await methods[method](argument)]);
  } catch (error) {
    process.send([id, undefined, [error?.message ?? String(error), ...complaints.slice(-5)].join("\n")]);
  }
});
// Without a parent there is nothing to do.
process.on("disconnect", () => process.exit());
