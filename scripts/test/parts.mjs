/** The parts of the test suite: what each needs built, and the command that runs it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CHROMIUM_FLAGS } from "../common/chromium-flags.mjs";
import { writeWhole } from "../common/file.mjs";
import { distributionFolder, localCache, root } from "../common/paths.mjs";
import { chromiumPath, driverPath } from "../setup/chromium.mjs";

const MINUTE = 60_000;

/** The test files under a folder whose names contain one of `filters`. */
async function testFiles(folder, filters) {
  const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
  return entries
    .filter((name) => name.endsWith(".test.mjs"))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .map((name) => join(folder, name))
    .sort();
}

const nodeTests =
  (folder, ...options) =>
  async (filters) => {
    const files = await testFiles(folder, filters);
    if (files.length === 0) return undefined;
    return [process.execPath, "--test", "--test-reporter=spec", ...options, ...files];
  };

/** chromedriver takes its flags from a file. */
async function webdriverConfiguration() {
  const path = join(localCache, "webdriver.json");
  const options = { binary: await chromiumPath(), args: ["--headless", ...CHROMIUM_FLAGS] };
  await writeWhole(path, JSON.stringify({ "goog:chromeOptions": options }));
  return path;
}

/** Where tests find Python and the browser. */
export const testEnvironment = async () => ({
  TAIPAN_DISTRIBUTION: distributionFolder("0.28.3"),
  TAIPAN_DISTRIBUTION_314: distributionFolder("314.0.7"),
  CHROME_PATH: await chromiumPath(),
  CHROMEDRIVER: await driverPath(),
});

/**
 * @typedef {object} Part
 * @property {string} name as on the command line
 * @property {string} what said before it starts
 * @property {string[]} builds what of `npm run build` it needs
 * @property {number} timeout milliseconds
 * @property {boolean} [optional] passes over where there is nothing to run
 * @property {(filters: string[]) => Promise<string[] | undefined>} command undefined where there is nothing to run
 * @property {() => Promise<Record<string, string>>} [env]
 */

/** @type {Part[]} */
export const parts = [
  {
    name: "scripts",
    what: "set-up, server, build and the command line, in Node",
    builds: ["node"],
    timeout: 15 * MINUTE,
    command: nodeTests("tests/scripts", "--test-timeout=300000"),
  },
  {
    name: "core",
    what: "the Rust core, natively",
    builds: [],
    timeout: 30 * MINUTE,
    command: async (filters) => ["cargo", "test", "--workspace", "--no-fail-fast", ...filters],
  },
  {
    name: "wasm",
    what: "the bindings, in a real browser",
    builds: [],
    timeout: 20 * MINUTE,
    command: async () => ["wasm-pack", "test", "--headless", "--chrome", "--mode", "no-install", "crate/web"],
    env: async () => ({
      WASM_BINDGEN_TEST_WEBDRIVER_JSON: await webdriverConfiguration(),
      WASM_BINDGEN_TEST_TIMEOUT: "300",
    }),
  },
  {
    name: "unit",
    what: "the TypeScript, in Node",
    builds: ["wasm", "js"],
    timeout: 10 * MINUTE,
    command: nodeTests("tests/unit", "--test-timeout=60000"),
  },
  {
    name: "differential",
    what: "our answers beside CPython's",
    builds: [],
    timeout: 15 * MINUTE,
    optional: true,
    command: async () => {
      const names = await readdir(join(root, "tests", "differential")).catch(() => []);
      return names.includes("run.mjs") ? [process.execPath, "tests/differential/run.mjs"] : undefined;
    },
  },
  {
    name: "browser",
    what: "the page and the API, in real browsers with real wheels",
    builds: ["wasm", "js", "www"],
    timeout: 60 * MINUTE,
    command: nodeTests("tests/browser", "--test-concurrency=1", "--test-timeout=600000"),
  },
  {
    name: "packaging",
    what: "the packed npm package in a project of its own",
    builds: ["wasm", "js"],
    timeout: 15 * MINUTE,
    command: nodeTests("tests/packaging", "--test-concurrency=1", "--test-timeout=600000"),
  },
];
