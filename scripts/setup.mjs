/**
 * Gets what is needed to build and to test. Each part is skipped when done.
 *
 *   node scripts/setup.mjs            everything
 *   node scripts/setup.mjs build      what `npm run build` needs: tools, and CPython to make bytecode with
 *   node scripts/setup.mjs start      that, and the wheels
 */
import { pathToFileURL } from "node:url";
import { main, Problem } from "./common/problem.mjs";
import { browsers } from "./setup/browsers.mjs";
import { chromium } from "./setup/chromium.mjs";
import { distribution } from "./setup/distribution.mjs";
import { nodePackages } from "./setup/node-packages.mjs";
import { wasmTarget } from "./setup/wasm-target.mjs";
import { wasmTools } from "./setup/wasm-tools.mjs";
import { indexWheels, wheels } from "./setup/wheels.mjs";

const tools = async () => {
  await wasmTarget();
  await wasmTools();
};

const lesson = async () => {
  await distribution("0.28.3");
  await wheels("0.28.3");
};

/** Nothing that people start with: what tests install from an index. */
const fromIndex = async () => {
  await distribution("0.28.3");
  await indexWheels("0.28.3");
};

const newerPython = async () => {
  await distribution("314.0.7");
  await indexWheels("314.0.7");
};

/** What each purpose needs; compiling tools and fetching files go on at the same time. */
const PURPOSES = {
  build: [tools, () => distribution("0.28.3")],
  start: [tools, lesson],
  bench: [tools, lesson, chromium],
  test: [tools, lesson, fromIndex, newerPython, chromium, browsers],
};

/**
 * @param {keyof typeof PURPOSES} purpose
 * @throws {AggregateError} with every part that failed
 */
export async function setUp(purpose) {
  const parts = PURPOSES[purpose];
  if (!parts)
    throw new Problem(`There is no set-up for ${purpose}.`, `Choose one of ${Object.keys(PURPOSES).join(", ")}.`);
  await nodePackages();
  const results = await Promise.allSettled(parts.map((part) => part()));
  const errors = results.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  if (errors.length > 0) throw new AggregateError(errors, "The set-up is not complete.");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(async ([purpose = "test"]) => setUp(purpose));
}
