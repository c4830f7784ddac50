/**
 * Measures Taipan beside stock Pyodide 0.28.3: same browser, same server, same steps, in turn.
 *
 *   npm run bench                              five runs of each, until a first groupby with pandas
 *   npm run bench -- --runs 9
 *   npm run bench -- --only taipan,taipan-prepared,stock-worker
 *   npm run bench -- --core                    no package: until a first 1 + 1; beside Pyodide's own snapshot of its core
 *   npm run bench -- --programs                no package: how fast Python computes, each program's own time
 *   npm run bench -- --figure                  matplotlib too, until a first figure; images have all three packages
 *   npm run bench -- --all                     scikit-learn too, until a first fit; the prepared folder and images have all
 *   npm run bench -- --line 20,40              over a line of 20 Mbit/s and 40 ms there and back, shared by all requests
 *
 * A run is three visits of each page: with a fresh profile, again in the same browser, and after the browser was closed and
 * opened on the same profile. Each begins when the browser has nothing else to do. Prints medians, ranges and ratios, and writes everything, the options too, to bench-results/.
 *
 * "Bytes moved" are bodies as they were sent, compressed where they were; "of them the image" is what an image takes of that.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { writeWhole } from "../scripts/common/file.mjs";
import { distributionFolder, preparedFolder, root } from "../scripts/common/paths.mjs";
import { main, Problem } from "../scripts/common/problem.mjs";
import { AS_RELEASED } from "../scripts/prepare.mjs";
import { setUp } from "../scripts/setup.mjs";
import { heading, options } from "./options.mjs";
import { CHOICES } from "./pages/choices.js";
import { ANSWERS, IMAGES, isOurs, LANDMARK, PREPARED, pageOf, startsFrom, VERSION } from "./pages.mjs";

/** Compresses what will be asked for, so that the first visitor does not pay for it. */
async function warmServer(url, paths) {
  for (const path of paths) {
    for (const encoding of ["zstd", "br", "gzip"]) {
      const response = await fetch(url + path, { headers: { "Accept-Encoding": encoding } });
      await response.arrayBuffer();
      if (!response.ok) throw new Problem(`${path} is not served (${response.status}).`, "Run `npm run build`.");
    }
  }
}

/** What a prepared folder's pages may ask for at once. */
async function filesOf(folder) {
  const { taipan } = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
  const modules = Object.values(taipan.side_modules).flat();
  return ["pyodide-lock.json", ...Object.keys(taipan.files), ...modules.map(({ file_name }) => file_name)];
}

async function prepared({ loaders, steps }) {
  if (!loaders.includes("taipan-prepared")) return preparedFolder(VERSION);
  const { prepareAll, prepareLesson } = await import("../scripts/prepare.mjs");
  return steps === "all" ? prepareAll() : prepareLesson();
}

async function measure({ loaders, runs, steps }, { url, server, states, visitAll }) {
  const visits = Object.fromEntries(states.map((state) => [state, {}]));
  for (let run = 1; run <= runs; run += 1) {
    for (const loader of loaders) {
      const profile = await mkdtemp(join(tmpdir(), "taipan-bench-"));
      try {
        await visitAll({
          profile,
          asked: (state) => ({
            url: pageOf(loader, steps, url),
            expected: ANSWERS[steps],
            alone: CHOICES[steps].alone && CHOICES[steps].steps.map(({ name }) => name),
            from: startsFrom(loader, state),
            server,
          }),
          done(state, result) {
            visits[state][loader] = [...(visits[state][loader] ?? []), result];
            const until = `${(result[LANDMARK[steps]] / 1000).toFixed(2)} s until ${LANDMARK[steps]}`;
            console.log(`run ${run} of ${runs}, ${state.padEnd(9)} ${loader.padEnd(16)} ${until}`);
          },
        });
      } finally {
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  }
  return visits;
}

/** Puts the line of the options before the server, and says what it is like. */
async function openLine({ line }, server) {
  if (!line) return { url: server.url, close: () => {} };
  const { startProxy } = await import("./proxy.mjs");
  const { errand } = await import("./errand.mjs");
  const proxy = await startProxy(line, server.port);
  const found = await errand(`${proxy.url}/bench/line.html`);
  const rates = [found.together, found.alone, found.synchronous].map((rate) => (rate / 1e6).toFixed(2));
  console.log(
    `The line in a worker: ${found.delay.toFixed(0)} ms; MB/s: six at once, one, synchronous: ${rates.join(", ")}`,
  );
  return { ...proxy, found };
}

await main(async (args) => {
  const chosen = options(args);
  const { loaders, steps } = chosen;
  await setUp("bench");
  const { build } = await import("../scripts/build.mjs");
  const { startServer } = await import("../scripts/server.mjs");
  const { imageFolder, makeImages } = await import("./images.mjs");
  const { STATES, visitAll } = await import("./visit.mjs");
  const { tabulate } = await import("./table.mjs");
  if (loaders.some(isOurs)) await build(["wasm", "js"]);
  const site = await prepared(chosen);
  const folder = await imageFolder();
  const server = await startServer({
    roots: {
      [IMAGES]: { folder, immutable: true },
      // As cacheable as what is measured: a site's own scripts are.
      "/bench/": { folder: join(root, "bench", "pages"), immutable: true },
      "/dist/": { folder: join(root, "dist"), immutable: true },
      [`/python/${VERSION}/`]: distributionFolder(VERSION),
      [PREPARED]: site,
      [new URL(AS_RELEASED, `http://localhost${PREPARED}`).pathname]: distributionFolder(VERSION),
    },
  });
  let way;
  try {
    const core = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
    const ours = loaders.some(isOurs) ? ["/dist/index.js", "/dist/wasm/taipan_web_bg.wasm"] : [];
    const served = loaders.includes("taipan-prepared") ? await filesOf(site) : [];
    const paths = [...core.map((name) => `/python/${VERSION}/${name}`), ...served.map((name) => PREPARED + name)];
    const images = await makeImages({ url: server.url, folder, steps, loaders });
    await warmServer(server.url, [...paths, ...ours, ...images]);
    way = await openLine(chosen, server);
    const visits = await measure(chosen, { url: way.url, server, states: STATES, visitAll });
    const { text, summaries } = tabulate(visits);
    const machine = { processor: cpus()[0]?.model, cores: cpus().length, platform: process.platform };
    const time = new Date().toISOString();
    const path = join(root, "bench-results", `${time.replaceAll(":", "-")}.json`);
    const results = { time, machine, version: VERSION, options: chosen, line: way.found, summaries, visits };
    await writeWhole(path, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`\n${heading(chosen)}\n\n${text}\n\nAll of it: ${path}`);
  } finally {
    await way?.close();
    await server.close();
  }
});
