/** The page of each loader, and what it must answer. */
import { PROGRAM_ANSWERS } from "./pages/programs.js";

export const VERSION = "0.28.3";
export const PREPARED = "/python/prepared/";
/** Where files are served that are made beforehand: an image for each choice of steps, Pyodide's snapshot of its core. */
export const IMAGES = "/images/";
export const imageOf = (steps) => `${steps}/python.image`;
export const SNAPSHOT = "core.snapshot";

/** What the steps of `pages/steps.js` must give: a loader that is fast and wrong is not measured. */
const GROUPBY = { groupby: "{'a': 249500, 'b': 124750, 'c': 125250}" };
const FIGURE = { ...GROUPBY, figure: "89504e470d0a1a0a" };
export const ANSWERS = {
  core: { sum: "2" },
  programs: PROGRAM_ANSWERS,
  groupby: GROUPBY,
  figure: FIGURE,
  all: { ...FIGURE, fit: "7.0" },
};

/** The step that a line of progress tells the time of. */
export const LANDMARK = { core: "sum", programs: "ready", groupby: "groupby", figure: "figure", all: "fit" };

/**
 * `taipan-prepared` has a folder made by `taipan prepare`, `taipan-baked` an image with the packages imported on the server,
 * `taipan-image` one that the first visit keeps for the second, `taipan-automatic` the one that makes itself after the first
 * visit's work. `stock-snapshot` starts from what Pyodide's own `makeMemorySnapshot` has made, which can hold no package.
 */
const PAGES = {
  stock: () => "stock.html",
  "stock-worker": () => "stock-worker.html",
  "stock-snapshot": () => `stock-worker.html?snapshot=${IMAGES}${SNAPSHOT}`,
  taipan: () => "taipan.html",
  "taipan-prepared": () => `taipan.html?index=${PREPARED}`,
  "taipan-image": () => "taipan.html?keep=bench",
  "taipan-automatic": () => "taipan.html?image=automatic",
  "taipan-baked": (steps) => `taipan.html?image=${IMAGES}${imageOf(steps)}`,
};

const isWithoutPackages = (steps) => steps === "core" || steps === "programs";

/** The loaders that can take these steps: without a package no image makes itself. */
export const loadersFor = (steps) =>
  Object.keys(PAGES).filter((name) => !isWithoutPackages(steps) || name !== "taipan-automatic");

/** Those that are measured unless some are named. How fast a program is depends on little. */
export const loadersOf = (steps) =>
  steps === "programs"
    ? ["stock-worker", "taipan", "taipan-image"]
    : loadersFor(steps).filter((name) => name !== (steps === "core" ? "stock" : "stock-snapshot"));

export const isOurs = (loader) => loader.startsWith("taipan");

/** Where the image of a visit must come from, as `python.timings` says: without one it would be another measurement. */
export const startsFrom = (loader, state) =>
  ({
    "taipan-baked": "address",
    "taipan-image": state === "fresh" ? undefined : "name",
    "taipan-automatic": state === "fresh" ? undefined : "automatic",
  })[loader];

/** The address of a loader's page on a server. */
export function pageOf(loader, steps, url) {
  const page = new URL(`/bench/${PAGES[loader](steps)}`, url);
  page.searchParams.set("steps", steps);
  return page.href;
}
