/**
 * Measures Taipan beside stock Pyodide 0.28.3: same browser, same server, same steps, in turn.
 *
 *   npm run bench                              five runs of each
 *   npm run bench -- --runs 9
 *   npm run bench -- --only taipan,taipan-prepared,stock-worker
 *   npm run bench -- --all                     matplotlib and scikit-learn too; the prepared folder has them as well
 *
 * A run is two visits of each page: the first with a fresh profile, the second after the browser was closed and opened
 * again on it. Prints medians, ranges and ratios, and writes everything to bench-results/.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBrowser } from "../scripts/common/browser.mjs";
import { writeWhole } from "../scripts/common/file.mjs";
import { distributionFolder, preparedFolder, root } from "../scripts/common/paths.mjs";
import { main, Problem } from "../scripts/common/problem.mjs";
import { AS_RELEASED } from "../scripts/prepare.mjs";
import { setUp } from "../scripts/setup.mjs";

const VERSION = "0.28.3";
/** What the last step must give: a loader that is fast and wrong is not measured. */
const EXPECTED = "{'a': 249500, 'b': 124750, 'c': 125250}";
const PREPARED = "/python/prepared/";
const IMAGE = "/images/pandas.image";
/**
 * The page of each loader. `taipan-prepared` has a folder made by `taipan prepare`, `taipan-baked` an image with pandas
 * imported on the server, `taipan-image` one that the first visit keeps for the second, `taipan-automatic` the one that makes
 * itself after the first visit's work.
 */
const PAGES = {
  stock: "stock.html",
  "stock-worker": "stock-worker.html",
  taipan: "taipan.html",
  "taipan-prepared": `taipan.html?index=${PREPARED}`,
  "taipan-image": "taipan.html?keep=bench",
  "taipan-automatic": "taipan.html?image=automatic",
  "taipan-baked": `taipan.html?image=${IMAGE}`,
};
const LOADERS = Object.keys(PAGES);
const isOurs = (loader) => loader.startsWith("taipan");

function options(args) {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "5" },
      only: { type: "string" },
      all: { type: "boolean", default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Problem(`--runs ${values.runs} is not a number of runs.`);
  const loaders = values.only ? values.only.split(",") : LOADERS;
  const unknown = loaders.find((name) => !LOADERS.includes(name));
  if (unknown) throw new Problem(`There is no loader called ${unknown}.`, `Choose from ${LOADERS.join(", ")}.`);
  return { runs, loaders, all: values.all };
}

/** Compresses what will be asked for, so that the first visitor does not pay for it. */
async function warmServer(url, paths) {
  for (const path of paths) {
    for (const encoding of ["br", "gzip"]) {
      const response = await fetch(url + path, { headers: { "Accept-Encoding": encoding } });
      await response.arrayBuffer();
      if (!response.ok) throw new Problem(`${path} is not served (${response.status}).`, "Run `npm run build`.");
    }
  }
}

/** Bakes an image with pandas imported, in the browser, into a folder to be served. */
async function bake(url, folder) {
  const profile = await mkdtemp(join(tmpdir(), "taipan-bench-bake-"));
  const context = await openBrowser(profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`${url}/bench/bake.html`);
    await page.waitForFunction(() => globalThis.result !== undefined);
    const outcome = await page.evaluate(() => globalThis.result);
    if (outcome.error) throw new Problem(`The image could not be baked: ${outcome.error}`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("a")]);
    await download.saveAs(join(folder, IMAGE.split("/").at(-1)));
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a prepared folder's pages may ask for at once. */
async function filesOf(folder) {
  const { taipan } = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
  const modules = Object.values(taipan.side_modules).flat();
  return ["pyodide-lock.json", ...Object.keys(taipan.files), ...modules.map(({ file_name }) => file_name)];
}

async function measure({ loaders, runs, all }, server, visit) {
  const visits = { fresh: {}, warm: {} };
  for (let run = 1; run <= runs; run += 1) {
    for (const loader of loaders) {
      const profile = await mkdtemp(join(tmpdir(), "taipan-bench-"));
      try {
        const url = new URL(`/bench/${PAGES[loader]}`, server.url);
        if (all) url.searchParams.set("steps", "all");
        for (const state of ["fresh", "warm"]) {
          const result = await visit({ profile, url: url.href, expected: EXPECTED, server });
          visits[state][loader] = [...(visits[state][loader] ?? []), result];
          const seconds = (result.groupby / 1000).toFixed(2);
          console.log(`run ${run} of ${runs}, ${state.padEnd(5)} ${loader.padEnd(13)} ${seconds} s until groupby`);
        }
      } finally {
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  }
  return visits;
}

await main(async (args) => {
  const chosen = options(args);
  const { runs, loaders } = chosen;
  await setUp("bench");
  const { build } = await import("../scripts/build.mjs");
  const { startServer } = await import("../scripts/server.mjs");
  const { visit } = await import("./visit.mjs");
  const { tabulate } = await import("./table.mjs");
  if (loaders.some(isOurs)) await build(["wasm", "js"]);
  let prepared = preparedFolder(VERSION);
  if (loaders.includes("taipan-prepared")) {
    const { prepareAll, prepareLesson } = await import("../scripts/prepare.mjs");
    prepared = await (chosen.all ? prepareAll() : prepareLesson());
  }
  const images = await mkdtemp(join(tmpdir(), "taipan-bench-images-"));
  const server = await startServer({
    roots: {
      "/images/": { folder: images, immutable: true },
      "/bench/": { folder: join(root, "bench", "pages") },
      "/dist/": { folder: join(root, "dist"), immutable: true },
      [`/python/${VERSION}/`]: distributionFolder(VERSION),
      [PREPARED]: prepared,
      [new URL(AS_RELEASED, `http://localhost${PREPARED}`).pathname]: distributionFolder(VERSION),
    },
  });
  try {
    const core = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
    const ours = loaders.some(isOurs) ? ["/dist/index.js", "/dist/wasm/taipan_web_bg.wasm"] : [];
    const served = loaders.includes("taipan-prepared") ? await filesOf(prepared) : [];
    const paths = [...core.map((name) => `/python/${VERSION}/${name}`), ...served.map((name) => PREPARED + name)];
    if (loaders.includes("taipan-baked")) await bake(server.url, images);
    const baked = loaders.includes("taipan-baked") ? [IMAGE] : [];
    await warmServer(server.url, [...paths, ...ours, ...baked]);
    const visits = await measure(chosen, server, visit);
    const { text, summaries } = tabulate(visits);
    const machine = { processor: cpus()[0]?.model, cores: cpus().length, platform: process.platform };
    const time = new Date().toISOString();
    const path = join(root, "bench-results", `${time.replaceAll(":", "-")}.json`);
    await writeWhole(
      path,
      `${JSON.stringify({ time, machine, version: VERSION, runs, summaries, visits }, null, 2)}\n`,
    );
    console.log(`\nMedian (least–most) of ${runs}; times from navigation.\n\n${text}\n\nAll of it: ${path}`);
  } finally {
    await server.close();
    await rm(images, { recursive: true, force: true, maxRetries: 5 });
  }
});
