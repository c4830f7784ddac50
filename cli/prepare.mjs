/** `taipan prepare`: from a distribution and packages to a folder that a site serves. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compile, observe } from "./bytecode.mjs";
import { isVariant, SUFFIXES, writeFiles } from "./compress.mjs";
import {
  LIBRARY_FILE,
  LOADER_FILE,
  LOCK_FILE,
  openDistribution,
  publicAddress,
  sha256,
  WASM_FILE,
} from "./distribution.mjs";
import { makeFolder, removeEmpty, TEMPORARY, unwritable, writeWhole } from "./file.mjs";
import { gather, LIBRARY } from "./gather.mjs";
import { closureOf, keyOf } from "./lock.mjs";
import { size } from "./output.mjs";
import { Problem } from "./problem.mjs";
import { report } from "./report.mjs";
import { addressOf, LISTING, SIDE_MODULE, split } from "./split.mjs";
import { readZip } from "./zip.mjs";

/** Changes with what is made of the same input. */
const FORMAT = 3;

/** A file that may name others which belong to it. */
const ARCHIVE = /\.(whl|zip)$/;

/** What is there while a run lasts, and of one that was stopped. */
const WORK = ".taipan";

/**
 * Prepares a distribution.
 *
 * @param {object} options
 * @param {string} options.out the folder to write
 * @param {string[]} options.packages names, requirements, addresses or paths of wheels; `*` is all of the lock file
 * @param {string[]} [options.constraints] requirements that only restrict
 * @param {string[]} [options.indexURLs] roots of indexes for what the lock file does not have; default: PyPI
 * @param {boolean} [options.pre] take pre-releases like all other versions
 * @param {string} [options.lockFile] path or address of a lock file instead of the distribution's
 * @param {string} [options.distribution] folder or address; default: npm's package `pyodide`
 * @param {string} [options.wheels] where the wheels are, if not there
 * @param {boolean} [options.keepAll] keep all other packages in the lock file too
 * @param {string} [options.baseURL] where those are; default: where the release is published
 * @param {string[]} [options.prefetch] packages that the loader begins to fetch before anybody asks
 * @param {{ source: string, filename: string }} [options.exercise] a Python program: what it reads comes at once as well
 * @param {keyof import("./compress.mjs").EFFORTS} [options.compress] default `best`
 * @param {ReturnType<import("./output.mjs").progressOn>} options.progress
 * @returns {Promise<{ isFresh: boolean, report: string }>} `isFresh` is false where there was nothing to do
 */
export async function prepare(options) {
  const out = resolve(options.out);
  const made = await checkFolder(out);
  try {
    return await prepareInto(out, options);
  } finally {
    await removeEmpty(made);
  }
}

async function prepareInto(out, options) {
  const { prefetch = [], exercise, compress = "best", keepAll = false, baseURL, progress } = options;
  const work = join(out, WORK);
  const distribution = await openDistribution({ ...options, work });
  const source = await gather(distribution, options);
  const { lock, named, closure } = source;
  const missing = prefetch.find((name) => !closure.includes(keyOf(lock, name)));
  if (missing) {
    const message = `${missing} is to be fetched early, but it is not prepared.`;
    throw new Problem(message, "Name it in --packages too.", { code: "BAD_ARGUMENT" });
  }
  const early = closureOf(
    lock,
    prefetch.map((name) => keyOf(lock, name)),
  );
  const inputs = sha256(
    JSON.stringify([FORMAT, source.hashes, named, early, exercise ?? null, compress, keepAll ? (baseURL ?? "") : null]),
  );
  const existing = await upToDate(out, inputs, compress);
  if (existing) {
    await rm(work, { recursive: true, force: true });
    return { isFresh: false, report: await report(out, existing) };
  }
  await beginWork(out, work, inputs);

  const folder = await distribution.folder([LOADER_FILE, source.abi.glue, WASM_FILE, LIBRARY_FILE, LOCK_FILE]);
  const seen = await observed({ source, folder, work, exercise, progress });
  const archives = await repack({ source, folder, seen, progress });
  const { files, document } = plan({ source, archives, inputs, early, keepAll, baseURL });

  const writing = progress.step(compress === "none" ? "Files" : "Files and their compressed forms");
  const all = files.map((file) => ({ ...file, path: join(out, file.file_name) }));
  await writeFiles(all, compress, (done, total, path) => writing.update(done, total, path.slice(out.length + 1)));
  await rm(join(out, LOCK_FILE), { force: true });
  await removeStale(out, new Set(files.map(({ file_name }) => file_name)));
  const data = Buffer.from(JSON.stringify(document));
  await writeFiles([{ path: join(out, LOCK_FILE), data, sha256: sha256(data) }], compress, () => {});
  await rm(work, { recursive: true, force: true });
  writing.end(`${files.length + 1}, ${size(files.reduce((sum, file) => sum + file.data.length, data.length))}`);
  for (const module of seen.failed) {
    progress.say(`! ${module} could not be imported in Node, so what it reads comes only when it is asked for.`);
  }
  return { isFresh: true, report: await report(out, document) };
}

/** A folder that holds other things is not written into. Gives the folders that were made to see whether it can be. */
async function checkFolder(out) {
  try {
    const made = await makeFolder(out);
    const names = await readdir(out);
    if (names.length === 0 || names.includes(WORK)) return made;
  } catch (error) {
    throw unwritable(out, error);
  }
  if ((await readJson(join(out, LOCK_FILE)))?.taipan?.inputs !== undefined) return [];
  const next = "Name a folder that is empty, or is not there yet.";
  throw new Problem(`${out} holds other files.`, next, { code: "FILE_SYSTEM" });
}

/** What a file holds; `undefined` where it is not there, or is no JSON. */
async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The lock file of a folder that was made from the same things and is whole. Compressed forms that are missing are made. */
async function upToDate(out, inputs, compress) {
  const lock = await readJson(join(out, LOCK_FILE));
  if (lock?.taipan?.inputs !== inputs) return undefined;
  const files = [];
  const queue = Object.entries(lock.taipan.files).map(([file_name, { sha256 }]) => ({ file_name, sha256 }));
  for (let file = queue.shift(); file; file = queue.shift()) {
    const { file_name: name, sha256: expected } = file;
    const data = await readFile(join(out, name)).catch(() => undefined);
    if (!data || sha256(data) !== expected) return undefined;
    files.push({ path: join(out, name), data, sha256: expected });
    // Side modules are listed in there too.
    if (ARCHIVE.test(name)) queue.push(...besideOf(data, name));
  }
  const data = await readFile(join(out, LOCK_FILE));
  await writeFiles([...files, { path: join(out, LOCK_FILE), data, sha256: sha256(data) }], compress, () => {});
  return lock;
}

/** What is served beside an archive. */
function besideOf(data, name) {
  const listing = readZip(data, name).find(({ path }) => path === LISTING);
  return listing ? JSON.parse(listing.read().toString("utf8")).files : [];
}

/** What a run that was stopped has left is used if it was about the same; else its compressed files go. */
async function beginWork(out, work, inputs) {
  const stamp = join(work, "inputs");
  const goesOn = (await readFile(stamp, "utf8").catch(() => undefined)) === inputs;
  for (const name of await readdir(out, { recursive: true }).catch(() => [])) {
    // What was being written when a run was killed.
    const isHalf = TEMPORARY.test(name);
    if (isHalf || (isVariant(name) && !goesOn)) await rm(join(out, name), { force: true });
  }
  if (goesOn) return;
  await writeWhole(stamp, inputs);
}

/** What the preparing run has seen; remembered for a run that goes on after this one was stopped. */
async function observed({ source, folder, work, exercise, progress }) {
  const path = join(work, "seen.json");
  const stamp = await readFile(join(work, "inputs"), "utf8");
  const known = await readJson(path);
  if (known?.inputs === stamp) return known;
  const step = progress.step("Import in the distribution's own Python");
  const { lock, named, library, packages } = source;
  // Side modules of the standard library's own are linked by name when CPython asks for them.
  const imports = named.flatMap((key) => lock.packages[key].imports ?? []);
  const places = packages.map((archive) => ({ ...archive, directory: runDirectory(source, archive.directory) }));
  const seen = await observe({ folder, library, packages: places, imports, exercise });
  await writeWhole(path, JSON.stringify({ ...seen, inputs: stamp }));
  const modules = Object.values(seen.read).flat().length;
  step.end(`${modules} files read, ${seen.linked.length} side modules linked`);
  return seen;
}

/** In Node the standard library is a ZIP file: what belongs beside it goes to the directory of that name in the browser. */
const runDirectory = ({ abi }, directory) =>
  directory === abi.standardLibrary ? abi.sitePackages.replace(/\/site-packages$/, "") : directory;

/** Every archive, split into what is needed at once and what can wait. */
async function repack({ source, folder, seen, progress }) {
  const step = progress.step("Bytecode");
  const all = [source.library, ...source.packages];
  const bytecode = await compile(folder, all, (done, total) => step.update(done, total, `${done} modules`));
  const archives = new Map();
  for (const { name, entries } of all) {
    const [read, looked] = [new Set(seen.read[name]), new Set(seen.sources[name])];
    const linked = linkedModules(source, name, entries, seen);
    const parts = split({ name, entries, bytecode: bytecode.get(name), tag: seen.tag, read, looked, linked });
    archives.set(name, { ...parts, linked });
  }
  step.end(`${[...bytecode.values()].reduce((sum, files) => sum + files.size, 0)} modules`);
  return archives;
}

/** The files to be written, and the lock file that names them. */
function plan({ source, archives, inputs, early, keepAll, baseURL }) {
  const { lock, abi, core, closure } = source;
  const files = new Map();
  const add = (file_name, data) => {
    const file = { file_name, data, sha256: sha256(data) };
    files.set(file_name, file);
    return file;
  };
  const listed = {};
  const list = ({ file_name, data, sha256: hash }) => {
    listed[file_name] = { size: data.length, sha256: hash };
  };
  for (const name of [abi.glue, WASM_FILE]) list(add(name, core[name]));
  const sideModules = {};
  const pack = (name, fileName) => {
    const { data, detached } = archives.get(name);
    const hash = sha256(data);
    const archive = add(fileName ?? addressOf(lock.packages[name].file_name.split("/").at(-1), hash), data);
    list(archive);
    for (const part of detached) add(part.file_name, part.data);
    const hot = new Set(archives.get(name).linked);
    const isHot = ({ kind, contents: [[path]] }) => kind === "side modules" && hot.has(path);
    const listings = detached.filter(isHot).map(sideModuleFile);
    if (listings.length > 0) sideModules[hash] = listings;
    return archive;
  };
  pack(LIBRARY, LIBRARY_FILE);
  const packages = {};
  for (const [key, entry] of Object.entries(lock.packages)) {
    if (closure.includes(key)) {
      const { file_name, sha256: hash } = pack(key);
      packages[key] = { ...entry, file_name, sha256: hash };
    } else if (keepAll) {
      const isAddress = entry.file_name.includes("://");
      const base = baseURL ?? publicAddress(lock.info.version);
      packages[key] = isAddress ? entry : { ...entry, file_name: base.replace(/\/?$/, "/") + entry.file_name };
    }
  }
  const extension = { inputs, files: listed, side_modules: sideModules, ...(early.length > 0 && { prefetch: early }) };
  return { files: [...files.values()], document: { ...lock, packages, taipan: extension } };
}

/** The side modules of an archive that importing it links, in that order; of shared libraries, all. */
function linkedModules({ lock }, archive, entries, seen) {
  const linked = seen.linked.filter(({ archive: name }) => name === archive).map(({ path }) => path);
  const isShared = lock.packages[archive]?.install_dir === "dynlib";
  const all = isShared ? entries.map(({ path }) => path).filter((path) => SIDE_MODULE.test(path)) : [];
  return [...new Set([...linked, ...all])];
}

/** A file of side modules, as the manifest has it. */
const sideModuleFile = ({ file_name, data, sha256: hash, contents }) => ({
  file_name,
  size: data.length,
  sha256: hash,
  contents,
});

/** Removes what an earlier preparation left and this one does not have. */
async function removeStale(out, names) {
  const isWanted = (name) => names.has(name) || SUFFIXES.some((suffix) => names.has(name.slice(0, -suffix.length - 1)));
  for (const entry of await readdir(join(out, "files"), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !isWanted(path.slice(out.length + 1).replaceAll("\\", "/"))) await rm(path);
  }
  for (const folder of await readdir(join(out, "files"))) {
    if ((await readdir(join(out, "files", folder))).length === 0)
      await rm(join(out, "files", folder), { recursive: true });
  }
}
