/** Everything that a prepared folder is made of: the distribution's files, and the wheels that meet the requirements. */
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { LIBRARY_FILE, LOCK_FILE, readLocal, sha256, WASM_FILE } from "./distribution.mjs";
import { get, withoutCredentials } from "./download.mjs";
import { abiOf, closureOf, keyOf, parseLock } from "./lock.mjs";
import { size } from "./output.mjs";
import { Problem } from "./problem.mjs";
import { asking, resolveRequirements } from "./resolution.mjs";
import { rust } from "./rust.mjs";
import { readZip } from "./zip.mjs";

/** The name of the standard library among the archives. */
export const LIBRARY = "python";

/** All packages of the lock file. */
const ALL = "*";

/** The most bytes of a lock file. */
const LARGEST_LOCK = 32 << 20;

/** Where `taipan prepare` puts what it has repacked. */
const PREPARED = /(^|\/)files\/[0-9a-f]{16}\/([^/]+)$/;

const DIRECTORIES = (abi) => ({
  site: abi.sitePackages,
  stdlib: abi.standardLibrary,
  dynlib: "/usr/lib",
  lib: abi.sitePackages,
});

/**
 * @param {Awaited<ReturnType<import("./distribution.mjs").openDistribution>>} distribution
 * @param {object} options as `prepare` takes them
 * @returns what the files are made of. `lock`: the lock file, with what comes from indexes and addresses in it; `named`,
 *   `closure`: keys of its packages; `hashes`: of all that went in
 */
export async function gather(
  distribution,
  { packages: requirements, constraints, indexURLs, pre, lockFile, progress },
) {
  const step = progress.step("Distribution");
  const own = await distribution.file(LOCK_FILE);
  const ownLock = parseLock(own.toString("utf8"), `${distribution.place}/${LOCK_FILE}`);
  const { lock, beside } = lockFile === undefined ? { lock: ownLock } : await otherLock(lockFile, ownLock);
  const abi = abiOf(lock);
  const core = {};
  for (const name of [abi.glue, WASM_FILE, LIBRARY_FILE]) {
    core[name] = await distribution.file(name, (loaded, total) =>
      step.update(loaded, total, `${name}, ${size(loaded)}`),
    );
  }
  step.end(`Python ${lock.info.python}`);

  const chosen = await choose({ distribution, lock, beside, requirements, constraints, indexURLs, pre, progress });
  const { wheels, named, merged } = chosen;
  const closure = closureOf(merged, wheels.keys());
  const directories = DIRECTORIES(abi);
  const packages = closure.map((key) => {
    const { install_dir, file_name } = merged.packages[key];
    return { name: key, entries: readZip(wheels.get(key), file_name), directory: directories[install_dir] };
  });
  const library = { name: LIBRARY, entries: readZip(core[LIBRARY_FILE], LIBRARY_FILE), directory: abi.standardLibrary };
  const hashes = [
    sha256(JSON.stringify(lock)),
    ...Object.values(core).map(sha256),
    ...closure.map((key) => [key, merged.packages[key].sha256, merged.packages[key].depends]),
  ];
  return { lock: merged, abi, named, closure, core, hashes, library, packages };
}

/** A lock file of the caller's own: where it is, and what it says. */
async function otherLock(place, ownLock) {
  const isAddress = /^https?:\/\//.test(place);
  const bytes = isAddress ? (await get(place, { limit: LARGEST_LOCK })).bytes : await readLocal(place);
  if (!bytes) throw new Problem(`There is no ${place}.`, "--lock-file names a lock file.", { code: "BAD_ARGUMENT" });
  const { taipan, ...lock } = parseLock(bytes.toString("utf8"), place, "`--lock-file` must be a `pyodide-lock.json`.");
  for (const field of ["abi_version", "python"]) {
    if (lock.info[field] === ownLock.info[field]) continue;
    throw new Problem(
      `${place} is for ${field === "python" ? "Python" : "ABI"} ${lock.info[field]}, the distribution is ${ownLock.info[field]}.`,
      "Name the distribution that the lock file was made with: --distribution.",
      { code: "WRONG_ABI" },
    );
  }
  if (taipan)
    for (const [key, entry] of Object.entries(lock.packages)) lock.packages[key] = original(entry, ownLock, place);
  return { lock, beside: isAddress ? new URL(".", place).href : dirname(resolve(place)) };
}

/** The entry of the wheel that a repacked one was made from: that is the distribution's. */
function original(entry, ownLock, place) {
  if (!PREPARED.test(entry.file_name)) return entry;
  const own = ownLock.packages[keyOf(ownLock, entry.name)];
  if (own?.version === entry.version) return own;
  throw new Problem(
    `${entry.name} ${entry.version} in ${place} is a wheel that \`taipan prepare\` has repacked already.`,
    "Freeze in a page that loads the release itself, or name the package in --packages without this lock file.",
    { code: "BAD_LOCK_FILE" },
  );
}

/** What meets the requirements, and its archives. */
async function choose({ distribution, lock, beside, requirements, constraints, indexURLs, pre, progress }) {
  const step = progress.step("Packages");
  const { version } = lock.info;
  const downloads = new Map();
  const report = bytesReport(step);
  /** Each archive once, by what names it. */
  const fetched = (key, work) => {
    if (!downloads.has(key)) downloads.set(key, work());
    return downloads.get(key);
  };
  const locked = (key) =>
    fetched(key, () => {
      const onProgress = report(lock.packages[key].file_name);
      return distribution.wheel(lock.packages[key], version, { beside, onProgress });
    });
  const wheel = ({ name, url, isLocked, sha256: expected }) =>
    isLocked ? locked(keyOf(lock, name)) : fetched(url, () => distribution.fromAddress(url, expected, report(url)));

  const all = Object.values(lock.packages).map(({ name }) => name);
  const { named, packages } = await resolveRequirements({
    lockText: JSON.stringify(lock),
    requirements: requirements.flatMap((one) => (one === ALL ? all : [one])),
    constraints,
    indexURLs,
    pre,
    wheel,
    onProgress: (name) => step.update(0, 1, `looking at ${name}`),
  });

  const { Wheels } = await rust();
  const modules = new Wheels();
  const merged = { ...lock, packages: { ...lock.packages } };
  const wheels = new Map();
  const others = [];
  const archives = await several(packages, (one) =>
    one.wheel ? wheel({ ...one.wheel, isLocked: false }) : locked(keyOf(lock, one.name)),
  );
  for (const [index, { name, depends, wheel: found, metadata }] of packages.entries()) {
    const bytes = archives[index];
    const known = keyOf(lock, name);
    if (!found) {
      const file = lock.packages[known].file_name.split("/").at(-1);
      if (/\.whl$/i.test(file)) asking(() => modules.add(bytes, decodeURIComponent(file), true));
      wheels.set(known, bytes);
      continue;
    }
    check(bytes, found);
    const facts = asking(() => modules.add(bytes, found.filename, false, metadata));
    delete merged.packages[known];
    merged.packages[name] = {
      ...{ name: facts.name, version: facts.version, file_name: found.filename, sha256: sha256(bytes) },
      ...{ imports: facts.imports, depends, install_dir: "site", package_type: "package", unvendored_tests: false },
    };
    wheels.set(name, bytes);
    others.push(`  ${facts.name} ${facts.version} from ${withoutCredentials(found.url)}`);
  }
  const bytes = archives.reduce((sum, { length }) => sum + length, 0);
  step.end(`${packages.length}, ${size(bytes)}`);
  for (const line of others) progress.say(line);
  return { wheels, merged, named: named.map((name) => keyOf(merged, name)) };
}

function check(bytes, { url, sha256: expected }) {
  const actual = sha256(bytes);
  if (!expected || actual === expected) return;
  throw new Problem(
    `${url} is not what it should be: its SHA-256 is ${actual}, it should be ${expected}.`,
    "The file is not the one that was meant: get it again.",
    { code: "INTEGRITY" },
  );
}

/** Shows downloads that go on at the same time as one. */
function bytesReport(step) {
  const files = new Map();
  return (name) => (loaded, total) => {
    files.set(name, { loaded, total: total ?? loaded });
    const sum = (field) => [...files.values()].reduce((all, file) => all + file[field], 0);
    step.update(sum("loaded"), sum("total"), `${decodeURIComponent(name.split("/").at(-1))}, ${size(sum("loaded"))}`);
  };
}

/** Work on several things at a time; results in the order of the things. */
async function several(things, work) {
  const results = [];
  const queue = [...things.entries()];
  const take = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, thing] = next;
      try {
        results[index] = await work(thing);
      } catch (error) {
        // Nothing more is begun.
        queue.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(4, availableParallelism()) }, take));
  return results;
}
