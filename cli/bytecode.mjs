/** What the packages import and read, and the bytecode of their modules: both from the distribution's own CPython. */
import { openInterpreter } from "./interpreter.mjs";
import { modified } from "./zip.mjs";

/**
 * What Taipan itself imports while it starts, or for the first run, besides what the distribution's own start imports:
 * the imports of its Python files (`crate/web/python`).
 */
const NEEDED_BY_TAIPAN = [
  "ast",
  "asyncio",
  "base64",
  "importlib.machinery",
  "inspect",
  "io",
  "json",
  "linecache",
  "re",
  "time",
  "traceback",
  "pyodide.code",
  "pyodide.ffi",
];

/**
 * @typedef {object} Archive
 * @property {string} name of the package; `python` for the standard library
 * @property {import("./zip.mjs").Entry[]} entries
 * @property {string} directory where it is mounted, in the browser
 */

const DATA = /^[^/]+\.data\/(purelib|platlib|data)\/(.*)$/;

/** Where an entry is while the preparing run lasts. */
function placeOf(directory, path) {
  const [, scheme, rest] = DATA.exec(path) ?? [];
  if (scheme === undefined) return `${directory}/${path}`;
  return scheme === "data" ? `/${rest}` : `${directory}/${rest}`;
}

/**
 * Imports packages and notes what that reads.
 *
 * @param {object} options
 * @param {string} options.folder of the distribution
 * @param {Archive} options.library
 * @param {Archive[]} options.packages
 * @param {string[]} options.imports modules to import
 * @param {{ source: string, filename: string }} [options.exercise] a program to run after that
 * @returns {Promise<{ tag: string, read: Record<string, string[]>, sources: Record<string, string[]>, linked: { archive:
 *   string, path: string }[], failed: string[] }>} `read`: paths by the archive's name, modules by their source; `sources`:
 *   modules whose source was looked at, too; `linked`: side modules in the order in which they were asked for; `failed`:
 *   modules that could not be imported, and why
 */
export async function observe({ folder, library, packages, imports, exercise }) {
  const interpreter = await openInterpreter(folder);
  try {
    const places = new Map();
    for (const { name, entries, directory } of packages) {
      const files = entries.filter(({ path }) => !path.endsWith("/"));
      for (const { path } of files) places.set(placeOf(directory, path), { archive: name, path });
      await interpreter.place(files.map((entry) => [placeOf(directory, entry.path), entry.read()]));
    }
    await interpreter.watch();
    for (const module of NEEDED_BY_TAIPAN) await interpreter.tryImport(module);
    const failed = [];
    for (const module of imports) {
      const why = await interpreter.tryImport(module);
      if (why !== undefined) failed.push(`${module} (${why})`);
    }
    if (exercise) await interpreter.run(exercise.source, exercise.filename);
    const { origins, opened, linked, sources, cacheTag } = await interpreter.seen();
    const isOfLibrary = /^\/lib\/python\d+\.zip\//;
    const inLibrary = new Set(library.entries.map(({ path }) => path));
    const byArchive = (files) => {
      const paths = Object.fromEntries([library, ...packages].map(({ name }) => [name, new Set()]));
      for (const place of files) {
        const inArchive = place.replace(isOfLibrary, "");
        const found = places.get(place);
        if (found) paths[found.archive].add(found.path);
        else if (inArchive !== place && inLibrary.has(inArchive)) paths[library.name].add(inArchive);
      }
      return Object.fromEntries(Object.entries(paths).map(([name, some]) => [name, [...some].sort()]));
    };
    return {
      tag: cacheTag,
      read: byArchive([...origins, ...opened, ...linked]),
      sources: byArchive(sources),
      linked: linked.map((place) => places.get(place)).filter(Boolean),
      failed,
    };
  } finally {
    interpreter.close();
  }
}

/**
 * Compiles all modules of archives, in an interpreter in which nothing else has happened.
 *
 * @param {string} folder of the distribution
 * @param {Archive[]} archives
 * @param {(done: number, total: number) => void} [onProgress]
 * @param {(archive: Archive, path: string) => boolean} [wanted] default: every module
 * @returns {Promise<Map<string, Map<string, Uint8Array>>>} `.pyc` files by the archive's name and the source's path
 */
export async function compile(folder, archives, onProgress = () => {}, wanted = () => true) {
  const files = [];
  for (const archive of archives) {
    for (const entry of archive.entries) {
      if (!entry.path.endsWith(".py") || /^[^/]+\.data\//.test(entry.path) || !wanted(archive, entry.path)) continue;
      const source = entry.read();
      const at = { path: `${archive.directory}/${entry.path}`, modified: modified(entry), size: source.length };
      files.push({ ...at, source, archive: archive.name, inArchive: entry.path });
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const interpreter = await openInterpreter(folder);
  try {
    const made = await interpreter.compile(files, (done) => onProgress(done, files.length));
    const bytecode = new Map(archives.map(({ name }) => [name, new Map()]));
    for (const [index, { archive, inArchive }] of files.entries()) {
      if (made[index]) bytecode.get(archive).set(inArchive, made[index]);
    }
    return bytecode;
  } finally {
    interpreter.close();
  }
}
