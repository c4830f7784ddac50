/** A distribution's own CPython, in a process of its own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Problem } from "./problem.mjs";

const CHILD = fileURLToPath(new URL("interpreter-child.mjs", import.meta.url));

/** Modules that are compiled with one message. */
const BATCH = 40;

/**
 * Starts the CPython of a distribution.
 *
 * @param {string} folder has `pyodide.mjs`, the glue, the wasm module, the standard library and the lock file
 */
export async function openInterpreter(folder) {
  const child = fork(CHILD, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: ["--no-warnings"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors = (errors + text).slice(-2000);
  });
  const waiting = new Map();
  child.on("message", ([id, result, error]) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  const gone = new Promise((_, reject) => {
    child.on("exit", (code, signal) =>
      reject(
        new Problem(
          `The distribution's Python ended (${signal ?? `exit code ${code}`}).\n${errors.trim()}`,
          "Check that the distribution is whole, and that Node has enough memory.",
        ),
      ),
    );
  });
  gone.catch(() => {});
  let last = 0;
  const call = (method, argument) => {
    const id = ++last;
    const answer = new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      child.send([id, method, argument]);
    });
    return Promise.race([answer, gone]);
  };
  try {
    await call("start", { folder });
  } catch (error) {
    child.kill();
    if (error instanceof Problem) throw error;
    throw new Problem(
      `The CPython of ${folder} cannot be started in Node: ${error.message}`,
      "The folder must hold a whole Pyodide release, as the npm package `pyodide` does.",
    );
  }
  return {
    place: (files) => call("place", files),
    watch: () => call("watch"),
    tryImport: (name) => call("tryImport", name),
    run: (source, filename) => call("run", { source, filename }),
    seen: () => call("seen"),
    /**
     * Compiles modules.
     *
     * @param {{ path: string, source: Buffer, modified: number, size: number }[]} files
     * @param {(done: number) => void} onProgress
     * @returns {Promise<(Uint8Array | undefined)[]>} the `.pyc` of each; undefined for what is no Python
     */
    async compile(files, onProgress) {
      const made = [];
      for (let at = 0; at < files.length; at += BATCH) {
        made.push(...(await call("compile", files.slice(at, at + BATCH))));
        onProgress(made.length);
      }
      return made;
    },
    close: () => child.kill(),
  };
}
