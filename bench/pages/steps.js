/** What every loader is made to do, and when each step was done. */

/** On its way while the loader starts: measuring takes nothing of that time. */
const arriving = import("./choices.js");

const parameters = new URLSearchParams(location.search);

/** The folder of the distribution; `?index=` names one that was prepared. */
export const INDEX_URL = new URL(parameters.get("index") ?? "/python/0.28.3/", location.href).href;

/**
 * Takes the steps, one after the other.
 *
 * @param run runs one and resolves with its value
 * @param done is told the name of each that was taken
 * @returns the answers of those that have one, by name: they say whether the loader works
 */
export async function takeSteps(run, done) {
  const { CHOICES } = await arriving;
  const { steps } = CHOICES[parameters.get("steps") ?? "groupby"];
  const answers = {};
  for (const step of steps) {
    const answer = await run(step);
    done(step.name);
    if (answer !== undefined && answer !== null) answers[step.name] = String(answer);
  }
  return answers;
}

/** A step with stock Pyodide, whose packages have to be named. */
export const withPyodide =
  (pyodide) =>
  async ({ packages, code }) => {
    if (packages.length > 0) await pyodide.loadPackage(packages, { messageCallback: () => {} });
    return pyodide.runPythonAsync(code);
  };

/** Milliseconds since navigation; the page's clock starts there, a worker's does not. */
export const now = () => performance.now();

/** Makes a result known to the program that drives the browser. */
export function publish(run) {
  globalThis.result = run().then(
    (value) => ({ value }),
    (error) => ({ error: String(error?.stack ?? error) }),
  );
  globalThis.result.then(async () => console.info((await arriving).PUBLISHED));
}

/**
 * What a worker answers in the end.
 *
 * @param {string} script its address, from here
 * @param {(name: string) => void} [done] is told the name of each step that it has taken
 */
export const answerOf = (script, done) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(script, import.meta.url), { type: "module" });
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      if (data.name) done(data.name);
      else if (data.error) reject(new Error(data.error));
      else resolve(data);
    };
  });

/** Has the program that drives the browser download a file. */
export function offer(blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "file";
  link.textContent = "The file";
  document.body.append(link);
}
