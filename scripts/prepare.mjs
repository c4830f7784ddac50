/**
 * Prepares a distribution for being served: adds bytecode, so that a first visit compiles nothing.
 *
 *   npm run prepare-python -- OUT --packages numpy,pandas [--version 0.28.3]
 *
 * OUT becomes a folder that `indexURL` can name: the files of the distribution and its wheels, unchanged, a ZIP file of
 * bytecode for each archive that something was imported from, and a lock file that names those. The bytecode is made by that
 * same CPython, in headless Chromium, by importing the packages.
 */
import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { placeWhole, writeWhole } from "./common/file.mjs";
import { KEPT_FUNCTIONS } from "./common/kept.mjs";
import { distributionFolder, root } from "./common/paths.mjs";
import { main, Problem } from "./common/problem.mjs";
import { size, step } from "./common/step.mjs";

const LOCK_FILE = "pyodide-lock.json";

/** Says what a prepared folder was made from; written last. */
const STAMP = "prepared.json";

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { loadPython } from "/taipan/index.js";
  globalThis.loadPython = loadPython;
</script>`;

const hash = (data) => createHash("sha256").update(data).digest("hex");

/** What the result depends on: the distribution, the packages, and the module that collects bytecode. */
async function inputs({ version, packages }) {
  const lock = await readFile(join(distributionFolder(version), LOCK_FILE));
  const engine = await readFile(join(root, "dist", "wasm", "taipan_web_bg.wasm"));
  return { version, packages, lock: hash(lock), engine: hash(engine) };
}

/** In the page: imports the packages and gives the bytecode that the loader then keeps, in base64 by archive. */
async function collect({ packages, imports }) {
  const SETTLED = 4;
  const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const python = await globalThis.loadPython({ indexURL: "/python/" });
  await python.loadPackage(packages);
  await python.run(imports.map((name) => `import ${name}`).join("\n"));
  const keptNames = async () => Object.entries((await globalThis.readIndex()).names);
  // It is put away when nothing is going on. A count that stays the same for some seconds is the whole.
  for (let [settled, before] = [0, -1]; settled < SETTLED; ) {
    await sleep(1000);
    const { length } = await keptNames();
    settled = length === before && length > 0 ? settled + 1 : 0;
    before = length;
  }
  const files = {};
  for (const [name, hash] of await keptNames()) {
    const bytes = await globalThis.readContent(hash);
    const digits = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    files[name.split("/").at(-1)] = btoa(digits);
  }
  python.dispose();
  return files;
}

/** Imports the packages in Chromium; resolves with the bytecode, by the SHA-256 of the archive it belongs to. */
async function makeBytecode({ version, packages }) {
  const { openBrowser } = await import("./common/browser.mjs");
  const { startServer } = await import("./server.mjs");
  const folder = await mkdtemp(join(tmpdir(), "taipan-prepare-"));
  await writeFile(join(folder, "index.html"), PAGE);
  const roots = { "/": folder, "/taipan/": join(root, "dist"), "/python/": distributionFolder(version) };
  const server = await startServer({ roots, compress: false });
  const browser = await openBrowser(join(folder, "profile"));
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/`);
    await page.waitForFunction(() => globalThis.loadPython);
    await page.evaluate(KEPT_FUNCTIONS);
    const imports = await importsOf(version, packages);
    const files = await page.evaluate(collect, { packages, imports });
    return Object.entries(files).map(([archive, base64]) => [archive, Buffer.from(base64, "base64")]);
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The modules that the packages named provide, as the lock file says. */
async function importsOf(version, packages) {
  const lock = JSON.parse(await readFile(join(distributionFolder(version), LOCK_FILE), "utf8"));
  return packages.flatMap((name) => {
    const found = lock.packages[name.toLowerCase()];
    if (!found) throw new Problem(`The distribution has no package ${name}.`, "Take names from its lock file.");
    return found.imports;
  });
}

/** Puts a file of the distribution into the folder without using its space again, where the disk can do that. */
async function share(from, to) {
  await rm(to, { force: true });
  await link(from, to).catch(() => placeWhole(from, to));
}

async function write(out, options) {
  const { version } = options;
  const folder = distributionFolder(version);
  await mkdir(out, { recursive: true });
  await rm(join(out, STAMP), { force: true });
  for (const file of await readdir(folder)) {
    if (file !== LOCK_FILE && (await stat(join(folder, file))).isFile())
      await share(join(folder, file), join(out, file));
  }
  const bytecode = {};
  let bytes = 0;
  for (const [archive, data] of await makeBytecode(options)) {
    const digest = hash(data);
    const file = `bytecode/${digest}.zip`;
    await writeWhole(join(out, file), data);
    bytecode[archive] = { file_name: file, sha256: digest };
    bytes += data.length;
  }
  const lock = JSON.parse(await readFile(join(folder, LOCK_FILE), "utf8"));
  await writeWhole(join(out, LOCK_FILE), JSON.stringify({ ...lock, taipan: { bytecode } }));
  await writeWhole(join(out, STAMP), JSON.stringify(await inputs(options)));
  console.log(`  bytecode of ${Object.keys(bytecode).length} archives, ${size(bytes)} before the server compresses it`);
}

/**
 * Prepares a distribution, unless that has been done from the same things.
 *
 * @param {string} out the folder to write
 * @param {{ version: string, packages: string[] }} options
 */
export async function prepare(out, options) {
  await step({
    name: `Bytecode for Python ${options.version}`,
    doing: `importing ${options.packages.join(", ")} in Chromium, half a minute`,
    lock: `prepare-${options.version}`,
    isDone: async () => {
      const stamp = await readFile(join(out, STAMP), "utf8").catch(() => undefined);
      return stamp === JSON.stringify(await inputs(options));
    },
    work: () => write(out, options),
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main(async (args) => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        packages: { type: "string", default: "numpy,pandas" },
        version: { type: "string", default: "0.28.3" },
      },
    });
    if (positionals.length !== 1) throw new Problem("Where to write is missing.", "Name one folder.");
    const { setUp } = await import("./setup.mjs");
    await setUp("bench");
    const { build } = await import("./build.mjs");
    await build(["wasm", "js"]);
    const packages = values.packages.split(",").filter(Boolean);
    await prepare(resolve(positionals[0]), { version: values.version, packages });
  });
}
