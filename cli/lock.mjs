/** A distribution's lock file: which packages there are and what they need. */
import { Problem } from "./problem.mjs";
import { resolveRequirements } from "./resolution.mjs";

/** What differs between distributions, by ABI: where CPython looks for its library, and what the glue is called. */
const ABIS = {
  "2025_0": {
    glue: "pyodide.asm.js",
    standardLibrary: "/lib/python3.13",
    sitePackages: "/lib/python3.13/site-packages",
  },
  "2026_0": {
    glue: "pyodide.asm.mjs",
    standardLibrary: "/lib/python314.zip",
    sitePackages: "/lib/python3.14/site-packages",
  },
};

/** @returns {{ glue: string, standardLibrary: string, sitePackages: string }} */
export function abiOf(lock) {
  const abi = ABIS[lock.info?.abi_version];
  if (abi) return abi;
  throw new Problem(
    `The distribution is for ABI ${lock.info?.abi_version}, which this version of Taipan cannot run.`,
    `Take one of ABI ${Object.keys(ABIS).join(" or ")} (Pyodide 0.28 or 314).`,
    { code: "WRONG_ABI" },
  );
}

export function parseLock(text, name, next = "`--distribution` must be the folder of a Pyodide release.") {
  try {
    const lock = JSON.parse(text);
    if (typeof lock.info?.abi_version === "string" && lock.packages && typeof lock.packages === "object") return lock;
  } catch {
    // Said below.
  }
  throw new Problem(`${name} is no lock file.`, next, { code: "BAD_LOCK_FILE" });
}

/** A package's name in the one spelling that all spellings of it have (PEP 503). */
const normalized = (name) => name.toLowerCase().replace(/[-_.]+/g, "-");

/** The key of a package in a lock file, whatever the spelling; `undefined` if it has none of that name. */
export function keyOf(lock, name) {
  if (Object.hasOwn(lock.packages, name)) return name;
  return Object.keys(lock.packages).find((key) => normalized(key) === normalized(name));
}

/** Packages and all they need, dependencies first, cycles or not. The order in which they are named changes nothing. */
export function closureOf(lock, keys) {
  const closure = new Set();
  const visit = (key, path) => {
    if (key === undefined || closure.has(key) || path.has(key)) return;
    path.add(key);
    for (const needed of lock.packages[key].depends ?? []) visit(keyOf(lock, needed), path);
    closure.add(key);
  };
  for (const key of [...keys].sort()) visit(key, new Set());
  return [...closure];
}

/**
 * What meets requirements in a lock file alone.
 *
 * @param {{ packages: Record<string, object> }} lock
 * @param {string[]} requirements
 * @returns {Promise<{ named: string[], closure: string[] }>} keys of `lock.packages`; `closure`: dependencies first
 * @throws {Problem} `PACKAGE_NOT_FOUND`, `RESOLUTION`, `BAD_REQUIREMENT`
 */
export async function select(lock, requirements) {
  const wheel = ({ name }) => {
    throw new Problem(
      `What ${name} needs is more than its lock file says: extras and addresses are not looked up here.`,
      "Name the packages themselves.",
      { code: "RESOLUTION" },
    );
  };
  const options = { lockText: JSON.stringify(lock), requirements, indexURLs: [], wheel };
  const { named } = await resolveRequirements(options);
  const keys = named.map((name) => keyOf(lock, name));
  return { named: keys, closure: closureOf(lock, keys) };
}
