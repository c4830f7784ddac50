/** `taipan bake`: from a distribution and packages to an image that pages start from. */
import { access, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "./bake/server.mjs";
import { findBrowser, openPage } from "./browser.mjs";
import { SUFFIXES, writeFiles } from "./compress.mjs";
import { LOCK_FILE, openDistribution, sha256 } from "./distribution.mjs";
import { makeFolder, removeEmpty, unwritable } from "./file.mjs";
import { abiOf, parseLock, select } from "./lock.mjs";
import { size } from "./output.mjs";
import { Problem } from "./problem.mjs";
import { rust } from "./rust.mjs";
import { addressOf } from "./split.mjs";

/** The name of an image. */
const IMAGE = "python.image";

/** The folder of the side modules beside it. */
const MODULES = "modules";

/** A file in there, and the compressed forms of one. */
const SIDE_MODULE = new RegExp(`^(\\w*-[0-9a-f]{16}\\.wasm)(\\.(${SUFFIXES.join("|")}))?$`);

/** What is there while a run lasts. */
const WORK = ".taipan";

/** Milliseconds without a word of the page, which says every few seconds that it is there, after which it is given up. */
const PATIENCE = 180_000;

const STEPS = { start: "Import", run: "Program", bake: "Image", exercise: "First steps from the image" };

/**
 * Bakes an image.
 *
 * @param {object} options
 * @param {string} options.out a folder that `taipan prepare` has made: then the image becomes part of it; or any other
 * @param {string[]} options.packages names or requirements: their modules are imported
 * @param {string} [options.distribution] folder or address, where `out` is no prepared folder; default: npm's package `pyodide`
 * @param {string} [options.wheels] where its wheels are, if not there
 * @param {{ source: string, filename: string }} [options.program] a Python program to run after the imports
 * @param {{ source: string, filename: string }} [options.exercise] a program that is run from the image, to find out which
 *   side modules pages call first; default: the first one, or what pages do as a rule
 * @param {string} [options.browser] the program of an installed browser
 * @param {keyof import("./compress.mjs").EFFORTS} [options.compress] default `best`
 * @param {ReturnType<import("./output.mjs").progressOn>} options.progress
 * @returns {Promise<{ file: string, bytes: number, sizes: import("./compress.mjs").Sizes, beside: { count: number, bytes:
 *   number } & import("./compress.mjs").Sizes, isPrepared: boolean, isFresh: boolean }>} `beside`: the side modules that are
 *   files beside the image; `isFresh` is false where a prepared folder had this image
 */
export async function bake(options) {
  const { packages, program, exercise, compress = "best", progress } = options;
  const out = resolve(options.out);
  const own = await ownScripts();
  const isPrepared = await isPreparedFolder(out);
  if (isPrepared && (options.distribution ?? options.wheels) !== undefined) {
    throw new Problem(
      `${out} is a prepared folder, and the image is made of what is in it.`,
      "Leave --distribution and --wheels out, or name another folder.",
    );
  }
  const work = join(out, WORK);
  const made = await makeFolder(out).catch((error) => {
    throw unwritable(out, error);
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
      exercise,
    };
    const inputs = await inputsOf({ own, lock, job, compress });
    const there = isPrepared && (await imageOf(out, lock, inputs, compress));
    if (there) return { ...there, isPrepared, isFresh: false };
    const browser = await findBrowser(options.browser);
    const { image, files } = await detach(await drive({ job, browser, own, distribution, lock, progress }), progress);
    return {
      ...(await write({ out, image, files, lock, inputs, isPrepared, compress, progress })),
      isPrepared,
      isFresh: true,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
    await removeEmpty(made);
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
  const read = async (path) => ({ path, data: await readFile(path).catch(() => Buffer.alloc(0)) });
  const image = { ...(await read(join(out, file))), sha256: hash };
  if (sha256(image.data) !== hash) return undefined;
  const files = [];
  for (const beside of (await rust()).filesBeside(image.data)) {
    files.push({ ...(await read(join(dirname(image.path), beside.path))), sha256: beside.sha256 });
  }
  if (files.some(({ data, sha256: hash }) => sha256(data) !== hash)) return undefined;
  return { file, ...measure(image, files, await writeFiles([image, ...files], compress, () => {})) };
}

/** Takes out of an image what a page does not call at first. */
async function detach({ image, exercised, unknown }, progress) {
  if (exercised === undefined) {
    progress.say(`All side modules stay in the image: what pages call first is not known. ${unknown}`);
    return { image, files: [] };
  }
  const { calledModules, detachModules } = await rust();
  const detached = detachModules(image, calledModules(exercised));
  const bytesOf = ({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length);
  const files = detached.files.map(({ path, bytes, sha256 }) => ({ path, data: bytesOf(bytes), sha256 }));
  return { image: bytesOf(detached.image), files };
}

/** How large what was written is. */
function measure(image, files, sizes) {
  const beside = { count: files.length, bytes: 0 };
  for (const { path, data } of files) {
    beside.bytes += data.length;
    for (const [suffix, bytes] of Object.entries(sizes.get(path))) beside[suffix] = (beside[suffix] ?? 0) + bytes;
  }
  return { bytes: image.data.length, sizes: sizes.get(image.path), beside };
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
  let image;
  const trouble = [];
  const find = filesOf(distribution, lock);
  const { promise: made, resolve: finish, reject: fail } = Promise.withResolvers?.() ?? withResolvers();
  made.catch(() => {});
  const told = {
    progress: ({ loaded, total }) => step?.update(loaded, total, size(loaded)),
    output: (text) => progress.say(text.trimEnd()),
    step(name) {
      step?.end();
      step = progress.step(STEPS[name]);
    },
    packages(list) {
      packages = list;
    },
    image(bytes) {
      image = bytes;
      step.end(`${packages.length} packages, ${size(bytes.length)}`);
      step = undefined;
    },
    exercised: (bytes) => finish({ image, exercised: bytes }),
    unknown: (reason) => finish({ image, unknown: reason }),
    failure: (error) => fail(problemOf(error, trouble, job)),
  };
  const server = await startServer({
    job,
    package: own,
    // What a file is missing for is known here; the page only sees that it is.
    distribution: (path) => find(path).catch((error) => void trouble.push(error)),
    onTold(what, body) {
      [heard, begun] = [performance.now(), true];
      if (["image", "exercised"].includes(what)) told[what](body);
      else if (["output", "step", "unknown"].includes(what)) told[what](body.toString("utf8"));
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
    const outcome = await Promise.race([made, watch(), end]);
    step?.end();
    return outcome;
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

/** Writes the image, what is beside it and their compressed forms, and into a prepared folder's lock file that there is one. */
async function write({ out, image: data, files, lock, inputs, isPrepared, compress, progress }) {
  const hash = sha256(data);
  const step = progress.step(compress === "none" ? "Files" : "Files and their compressed forms");
  const file = isPrepared ? addressOf(IMAGE, hash) : IMAGE;
  const image = { path: join(out, file), data, sha256: hash };
  const folder = dirname(image.path);
  const beside = files.map((one) => ({ ...one, path: join(folder, one.path) }));
  // Whoever sees the image finds what belongs to it.
  const report = (done, total, path) => step.update(done, total, path.slice(out.length + 1));
  const sizes = await writeFiles(beside, compress, report);
  for (const [path, of] of await writeFiles([image], compress, report)) sizes.set(path, of);
  if (isPrepared) {
    const old = lock.taipan.image?.file_name ?? "";
    lock.taipan.image = { inputs, file_name: file, size: data.length, sha256: hash };
    const text = Buffer.from(JSON.stringify(lock));
    await writeFiles([{ path: join(out, LOCK_FILE), data: text, sha256: sha256(text) }], compress, () => {});
    if (old !== file && /^files\/[0-9a-f]{16}\/python\.image$/.test(old)) {
      await rm(dirname(join(out, old)), { recursive: true, force: true });
    }
  } else {
    await removeOthers(join(folder, MODULES), new Set(beside.map(({ path }) => basename(path))));
  }
  step.end();
  return { file, ...measure(image, beside, sizes) };
}

/** Removes side modules of earlier images. */
async function removeOthers(folder, wanted) {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, module] = SIDE_MODULE.exec(name) ?? [];
    if (module && !wanted.has(module)) await rm(join(folder, name), { force: true });
  }
}

/** For Node before 22. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
