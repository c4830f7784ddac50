/** In a worker, because it refers to objects of the global scope in which it is made. */
import { loadPyodide } from "/python/0.28.3/pyodide.mjs";
import { INDEX_URL } from "./steps.js";

try {
  const pyodide = await loadPyodide({ indexURL: INDEX_URL, _makeSnapshot: true });
  postMessage({ snapshot: pyodide.makeMemorySnapshot() });
} catch (error) {
  postMessage({ error: String(error?.stack ?? error) });
}
