/** `taipan bake`: from a distribution and packages to an image that pages start from. */
import { access, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "./bake/server.mjs";
import { findBrowser, openPage } from "./browser.mjs";
import { EFFORTS, writeFiles } from "./compress.mjs";
import { LOCK_FILE, openDistribution, sha256 } from "./distribution.mjs";
import { abiOf, parseLock, select } from "./lock.mjs";
import { size } from "./output.mjs";
import { Problem } from "./problem.mjs";
import { addressOf } from "./split.mjs";

/** The name of an image. */
const IMAGE = "python.image";

/** What is there while a run lasts. */
const WORK = ".taipan";

/** Milliseconds without a word of the page after which it is given up. */
const PATIENCE = 180_000;

const STEPS = { start: "Import", run: "Program", bake: "Image" };

/**
 * Bakes an image.
 *
 * @param {object} options
 * @param {string} options.out a folder that `taipan prepare` has made: then the image becomes part of it; or any other
 * @param {string[]} options.packages names or requirements: their modules are imported
 * @param {string} [options.distribution] folder or address, where `out` is no prepared folder; default: npm's package `pyodide`
 * @param {string} [options.wheels] where its wheels are, if not there
 * @param {{ source: string, filename: string }} [options.program] a Python program to run after the imports
 * @param {string} [options.browser] the program of an installed browser
 * @param {keyof EFFORTS} [options.compress] default `best`
 * @param {ReturnType<import("./output.mjs").progressOn>} options.progress
 * @returns {Promise<{ file: string, bytes: number, sizes: { br?: number, gz?: number }, isPrepared: boolean, isFresh:
 *   boolean }>} `isFresh` is false where a prepared folder had this image
 */
export async function bake(options) {
  const { packages, program, compress = "best", progress } = options;
  const out = resolve(options.out);
  if (!(compress in EFFORTS)) {
    throw new Problem(`There is no effort called ${compress}.`, `Choose from ${Object.keys(EFFORTS).join(", ")}.`);
  }
  const own = await ownScripts();
  const isPrepared = await isPreparedFolder(out);
  if (isPrepared && (options.distribution ?? options.wheels) !== undefined) {
    throw new Problem(
      `${out} is a prepared folder, and the image is made of what is in it.`,
      "Leave --distribution and --wheels out, or name another folder.",
    );
  }
  const work = join(out, WORK);
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new Problem(`${out} cannot be written: ${error.message}`, "Name another folder.");
  });
  try {
    const distribution = await openDistribution({ ...options, ...(isPrepared && { distribution: out }), work });
    const lockText = await distribution.file(LOCK_FILE);
    const lock = parseLock(lockText.toString("utf8"), `${distribution.place}/${LOCK_FILE}`);
    abiOf(lock);
    const { named } = await select(lock, packages);
    const job = {
      packages: named.map((key) => lock.packages[key].name),
      modules: named.flatMap((key) => lock.packages[key].imports ?? []),
      program,
    };
    const inputs = await inputsOf({ own, lock, job, compress });
    const there = isPrepared && (await imageOf(out, lock, inputs, compress));
    if (there) return { ...there, isPrepared, isFresh: false };
    const browser = await findBrowser(options.browser);
    const image = await drive({ job, browser, own, distribution, lock, progress });
    return {
      ...(await write({ out, image, lock, inputs, isPrepared, compress, progress })),
      isPrepared,
      isFresh: true,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The folder of the scripts that pages use: beside the tool in the npm package, in `dist` in the repository. */
async function ownScripts() {
  for (const place of ["../", "../dist/"]) {
    const folder = new URL(place, import.meta.url);
    const isThere = await access(new URL("worker.js", folder)).then(
      () => true,
      () => false,
    );
    if (isThere) return folder;
  }
  throw new Problem("The package's own scripts are not there.", "Run `npm run build:js` first.");
}

async function isPreparedFolder(out) {
  const text = await readFile(join(out, LOCK_FILE), "utf8").catch(() => "{}");
  try {
    return JSON.parse(text).taipan?.inputs !== undefined;
  } catch {
    return false;
  }
}

/** The lock file as it was before there was an image. */
function withoutImage(lock) {
  if (!lock.taipan) return lock;
  const { image: _, ...extension } = lock.taipan;
  return { ...lock, taipan: extension };
}

/** The hash of everything that the image is made of. */
async function inputsOf({ own, lock, job, compress }) {
  const engine = sha256(await readFile(new URL("wasm/taipan_web_bg.wasm", own)));
  return sha256(JSON.stringify([engine, withoutImage(lock), job, compress]));
}

/** The image that a prepared folder has, if it was made of the same things and is whole. */
async function imageOf(out, lock, inputs, compress) {
  const { file_name: file, inputs: of, sha256: hash } = lock.taipan.image ?? {};
  if (of !== inputs) return undefined;
  const path = join(out, file);
  const data = await readFile(path).catch(() => Buffer.alloc(0));
  if (sha256(data) !== hash) return undefined;
  const sizes = await writeFiles([{ path, data, sha256: hash }], compress, () => {});
  return { file, bytes: data.length, sizes: sizes.get(path) };
}

/** A file of the distribution, as the page asks for it. */
function filesOf(distribution, lock) {
  const lockText = Buffer.from(JSON.stringify(withoutImage(lock)));
  const packages = new Map(Object.values(lock.packages).map((entry) => [entry.file_name, entry]));
  return async (path) => {
    if (path === LOCK_FILE) return lockText;
    const entry = packages.get(path);
    return entry ? distribution.wheel(entry, lock.info.version) : distribution.file(path);
  };
}

/** Has the page do the job in a browser. */
async function drive({ job, browser, own, distribution, lock, progress }) {
  let [step, heard, begun] = [progress.step("Python in a browser"), performance.now(), false];
  let packages = [];
  const trouble = [];
  const find = filesOf(distribution, lock);
  const { promise: image, resolve: finish, reject: fail } = Promise.withResolvers?.() ?? withResolvers();
  image.catch(() => {});
  const told = {
    progress: ({ loaded, total }) => step.update(loaded, total, size(loaded)),
    output: (text) => progress.say(text.trimEnd()),
    step(name) {
      step.end();
      step = progress.step(STEPS[name]);
    },
    packages(list) {
      packages = list;
    },
    image: finish,
    failure: (error) => fail(problemOf(error, trouble, job)),
  };
  const server = await startServer({
    job,
    package: own,
    // What a file is missing for is known here; the page only sees that it is.
    distribution: (path) => find(path).catch((error) => void trouble.push(error)),
    onTold(what, body) {
      [heard, begun] = [performance.now(), true];
      if (what === "image") told.image(body);
      else if (["output", "step"].includes(what)) told[what](body.toString("utf8"));
      else if (Object.hasOwn(told, what)) told[what](JSON.parse(body.toString("utf8")));
    },
  });
  const page = await openPage(browser, `${server.url}page.html`);
  const watching = new AbortController();
  const watch = async () => {
    while (performance.now() - heard < PATIENCE) await sleep(1000, undefined, { signal: watching.signal });
    throw new Problem(
      `${browser} ${begun ? "has said nothing for" : "did not open the page within"} ${PATIENCE / 1000} s.`,
      "Try another with --browser.",
    );
  };
  const end = page.ended.then((said) => {
    throw new Problem(`${browser} ended before the image was made: ${said}`, "Try another with --browser.");
  });
  try {
    const bytes = await Promise.race([image, watch(), end]);
    step.end(`${packages.length} packages, ${size(bytes.length)}`);
    return bytes;
  } finally {
    watching.abort();
    await page.close();
    server.close();
  }
}

/** What went wrong in the page, for the person at the terminal. */
function problemOf({ code, message, hint, traceback }, trouble, { program }) {
  if (code === "PYTHON") {
    const where = program && traceback?.includes(program.filename) ? program.filename : "An import";
    return new Problem(`${where} raised an exception, so no image is made.\n${traceback ?? message}`, hint);
  }
  if (code === "NOT_SUPPORTED") return new Problem(message, hint ?? "Let go of it at the end of the program.");
  return trouble.find((error) => error instanceof Problem) ?? new Problem(message, hint);
}

/** Writes the image and its compressed forms, and into a prepared folder's lock file that there is one. */
async function write({ out, image, lock, inputs, isPrepared, compress, progress }) {
  const hash = sha256(image);
  const step = progress.step(compress === "none" ? "File" : "File and its compressed forms");
  const file = isPrepared ? addressOf(IMAGE, hash) : IMAGE;
  const path = join(out, file);
  const sizes = await writeFiles([{ path, data: image, sha256: hash }], compress, (done, total) =>
    step.update(done, total, file),
  );
  if (isPrepared) {
    const old = lock.taipan.image?.file_name ?? "";
    lock.taipan.image = { inputs, file_name: file, size: image.length, sha256: hash };
    const data = Buffer.from(JSON.stringify(lock));
    await writeFiles([{ path: join(out, LOCK_FILE), data, sha256: sha256(data) }], compress, () => {});
    if (old !== file && /^files\/[0-9a-f]{16}\/python\.image$/.test(old)) {
      await rm(dirname(join(out, old)), { recursive: true, force: true });
    }
  }
  step.end();
  return { file, bytes: image.length, sizes: sizes.get(path) };
}

/** For Node before 22. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
