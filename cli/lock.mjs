/** A distribution's lock file: which packages there are and what they need. */
import { Problem } from "./problem.mjs";
import { normalized, parseRequirement } from "./requirement.mjs";

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
  );
}

export function parseLock(text, name) {
  try {
    const lock = JSON.parse(text);
    if (typeof lock.info?.abi_version === "string" && lock.packages && typeof lock.packages === "object") return lock;
  } catch {
    // Said below.
  }
  throw new Problem(`${name} is no lock file.`, "`--distribution` must be the folder of a Pyodide release.");
}

/**
 * The packages asked for and all they need, dependencies first.
 *
 * A requirement that the lock file cannot satisfy is a problem; one that an index could satisfy would be resolved here,
 * before the closure is taken, and come back as further entries of `lock.packages`.
 *
 * @param {{ packages: Record<string, object> }} lock
 * @param {string[]} requirements
 * @returns {{ named: string[], closure: string[] }} keys of `lock.packages`
 */
export function select(lock, requirements) {
  const keys = new Map(Object.keys(lock.packages).map((key) => [normalized(key), key]));
  const find = (name, neededBy) => {
    const key = keys.get(normalized(name));
    if (key !== undefined) return key;
    const close = near(name, [...keys.keys()]);
    throw new Problem(
      `The distribution has no package called ${name}${neededBy ? `, which ${neededBy} needs` : ""}.`,
      close.length > 0 ? `Did you mean ${close.join(" or ")}?` : "Take names from its lock file.",
    );
  };
  const named = requirements.map((text) => {
    const { name, allows } = parseRequirement(text);
    const key = find(name);
    const { version } = lock.packages[key];
    if (allows(version)) return key;
    throw new Problem(
      `"${text}" cannot be satisfied: the distribution has ${name} ${version}.`,
      "Ask for that version, or take another distribution.",
    );
  });
  // The order in which they are named changes nothing.
  const asked = new Set(named.sort());
  const closure = new Set();
  const visit = (key, path) => {
    if (closure.has(key) || path.has(key)) return;
    path.add(key);
    for (const needed of lock.packages[key].depends ?? []) visit(find(needed, key), path);
    closure.add(key);
  };
  for (const key of asked) visit(key, new Set());
  return { named: [...asked], closure: [...closure] };
}

/** Up to three names that differ from `name` in little. */
export function near(name, names) {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return names
    .map((other) => [distance(name, other), other])
    .filter(([changes, other]) => changes <= limit || other.startsWith(`${name}-`))
    .sort(([a, left], [b, right]) => a - b || (left < right ? -1 : 1))
    .slice(0, 3)
    .map(([, other]) => other);
}

/** How many letters have to be added, removed, replaced or swapped with their neighbour. */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(replaced, rows[i - 1][j] + 1, rows[i][j - 1] + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}
