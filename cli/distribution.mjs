/** Where the files of a distribution come from: a folder, an address, or npm's package `pyodide`. */
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { download, isAbsent, sha256 } from "./download.mjs";
import { makeFolder } from "./file.mjs";
import { Problem } from "./problem.mjs";

export { sha256 };

const isAddress = (text) => /^https?:\/\//.test(text);
const withSlash = (address) => (address.endsWith("/") ? address : `${address}/`);

export const LOCK_FILE = "pyodide-lock.json";
export const WASM_FILE = "pyodide.asm.wasm";
export const LIBRARY_FILE = "python_stdlib.zip";
/** What stock Pyodide starts with, which runs it in Node. */
export const LOADER_FILE = "pyodide.mjs";

/** Where a release of Pyodide is published, wheels included. */
export const publicAddress = (version) => `https://cdn.jsdelivr.net/pyodide/v${version}/full/`;

/** The folder of npm's package `pyodide`, as seen from where the command was started. */
function installedPackage() {
  try {
    return dirname(createRequire(pathToFileURL(join(process.cwd(), "index.js"))).resolve("pyodide/package.json"));
  } catch {
    throw new Problem(
      "No distribution was named, and npm's package `pyodide` is not installed here.",
      "Name a folder or an address with --distribution, or run `npm install --save-dev pyodide`.",
      { code: "BAD_ARGUMENT" },
    );
  }
}

/** A file on this machine; `undefined` where there is none. */
export async function readLocal(path) {
  try {
    return await readFile(path);
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new Problem(`${path} cannot be read: ${error.message}.`, undefined, { code: "FILE_SYSTEM", cause: error });
  }
}

/**
 * @param {object} options
 * @param {string} [options.distribution] folder or address; default: npm's package `pyodide`
 * @param {string} [options.wheels] folder or address of the wheels, where they are not beside the rest
 * @param {string} options.work a folder for what is downloaded
 */
export async function openDistribution({ distribution, wheels, work }) {
  const place = distribution ?? installedPackage();
  const downloads = join(work, "downloads");
  const read = new Map();

  async function fromPlace(root, name, expected, onProgress) {
    if (!isAddress(root)) return readLocal(join(resolve(root), name));
    try {
      return await download(withSlash(root) + name, { to: join(downloads, name), sha256: expected, onProgress });
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** A file that the distribution must have. */
  async function file(name, onProgress) {
    const bytes = read.get(name) ?? (await fromPlace(place, name, undefined, onProgress));
    if (!bytes) {
      const next = "`--distribution` must be the folder, or its address, of a whole Pyodide release.";
      throw new Problem(`${place} has no ${name}.`, next, { code: "BAD_ARGUMENT" });
    }
    read.set(name, bytes);
    return bytes;
  }

  /** What is at an absolute address, which may be a file's. */
  async function fromAddress(url, expected, onProgress) {
    if (url.startsWith("file:")) {
      const bytes = await readLocal(fileURLToPath(url));
      if (bytes) return bytes;
      throw new Problem(`There is no ${fileURLToPath(url)}.`, "Check the path.", { code: "FILE_SYSTEM" });
    }
    const kept = `${sha256(url).slice(0, 8)}-${basename(new URL(url).pathname)}`;
    return download(url, { to: join(downloads, kept), sha256: expected, onProgress });
  }

  return {
    place,
    file,
    fromAddress,
    /**
     * The archive of a package, checked against its hash.
     *
     * @param {{ name: string, file_name: string, sha256: string }} entry of the lock file
     * @param {string} version of the distribution
     * @param {object} [options]
     * @param {string} [options.beside] the folder or address that the lock file is in, if it is not the distribution's
     * @param {(loaded: number, total?: number) => void} [options.onProgress]
     * @throws {Problem}
     */
    async wheel(entry, version, { beside, onProgress } = {}) {
      const expected = entry.sha256.toLowerCase();
      const name = entry.file_name;
      const standard = [place, ...(beside ? [beside] : []), ...(isAddress(place) ? [] : [publicAddress(version)])];
      const roots = wheels !== undefined ? [wheels] : standard;
      if (name.includes("://")) {
        const bytes = await fromAddress(name, expected, onProgress);
        return checked(bytes, name, expected, name);
      }
      for (const root of roots) {
        const bytes = await fromPlace(root, name, expected, onProgress);
        if (bytes) return checked(bytes, name, expected, root);
      }
      throw new Problem(
        `${entry.name} is in the lock file, but ${name} is not in ${roots.join(" or ")}.`,
        "Say where the wheels are with --wheels.",
        { code: "LOAD_HTTP" },
      );
    },
    /** A folder that CPython can be started from in Node: the distribution's own, or one with what was downloaded. */
    async folder(names) {
      if (!isAddress(place)) {
        for (const name of names) {
          if (!(await stat(join(place, name)).catch(() => undefined))) await file(name);
        }
        return resolve(place);
      }
      await makeFolder(downloads);
      for (const name of names) await file(name);
      return downloads;
    },
  };
}

function checked(bytes, name, expected, from) {
  const actual = sha256(bytes);
  if (actual === expected) return bytes;
  throw new Problem(
    `${name} is not what the lock file says: its SHA-256 is ${actual}, it should be ${expected}.`,
    `Get the file again; it came from ${from}.`,
    { code: "INTEGRITY" },
  );
}
