import { loadPyodide } from "/python/0.28.3/pyodide.mjs";
import { INDEX_URL, lastAnswer, STEPS } from "./steps.js";

try {
  const pyodide = await loadPyodide({ indexURL: INDEX_URL });
  postMessage({ name: "ready" });
  let answer;
  for (const { name, packages, code } of STEPS) {
    if (packages.length > 0) await pyodide.loadPackage(packages, { messageCallback: () => {} });
    answer = lastAnswer(answer, await pyodide.runPythonAsync(code));
    postMessage({ name });
  }
  postMessage({ answer, heap: pyodide._module.HEAPU8.length });
} catch (error) {
  postMessage({ error: String(error?.stack ?? error) });
}
