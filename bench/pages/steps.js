/** What every loader is made to do, and when each step was done. */

/** The folder of the distribution; `?index=` names one that was prepared. */
export const INDEX_URL = new URL(new URLSearchParams(location.search).get("index") ?? "/python/0.28.3/", location.href)
  .href;

/** Each step: its name, the packages it imports and its code. */
const ALL_STEPS = [
  { name: "numpy", packages: ["numpy"], code: "import numpy" },
  { name: "pandas", packages: ["pandas"], code: "import pandas" },
  {
    name: "groupby",
    packages: [],
    code: [
      "frame = pandas.DataFrame({'key': ['a', 'b', 'a', 'c'] * 250, 'value': range(1000)})",
      "str(frame.groupby('key')['value'].sum().to_dict())",
    ].join("\n"),
  },
  { name: "matplotlib", packages: ["matplotlib"], code: "import matplotlib.pyplot" },
  {
    name: "sklearn",
    packages: ["scikit-learn"],
    code: "from sklearn.linear_model import LinearRegression",
  },
];

/** The steps that are taken: up to the first `groupby`, or all with `?steps=all`. */
export const STEPS = new URLSearchParams(location.search).get("steps") === "all" ? ALL_STEPS : ALL_STEPS.slice(0, 3);

/** The answer of the last step that has one: it says whether the loader works. */
export const lastAnswer = (before, answer) => answer ?? before;

/** Milliseconds since navigation; the page's clock starts there, a worker's does not. */
export const now = () => performance.now();

/** Makes a result known to the program that drives the browser. */
export function publish(run) {
  globalThis.result = run().then(
    (value) => ({ value }),
    (error) => ({ error: String(error?.stack ?? error) }),
  );
}
