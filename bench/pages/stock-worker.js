import { loadPyodide } from "/python/0.28.3/pyodide.mjs";
import { INDEX_URL, takeSteps, withPyodide } from "./steps.js";

/** A snapshot of the core that Pyodide has made itself. */
const snapshot = new URLSearchParams(location.search).get("snapshot");

try {
  const options = snapshot ? { _loadSnapshot: fetch(snapshot).then((response) => response.arrayBuffer()) } : {};
  const pyodide = await loadPyodide({ indexURL: INDEX_URL, ...options });
  postMessage({ name: "ready" });
  const answers = await takeSteps(withPyodide(pyodide), (name) => postMessage({ name }));
  postMessage({ answers, heap: pyodide._module.HEAPU8.length });
} catch (error) {
  postMessage({ error: String(error?.stack ?? error) });
}
