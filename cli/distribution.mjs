/** Where the files of a distribution come from: a folder, an address, or npm's package `pyodide`. */
import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { writeWhole } from "./file.mjs";
import { Problem } from "./problem.mjs";

const ATTEMPTS = 4;
const isAddress = (text) => /^https?:\/\//.test(text);
const withSlash = (address) => (address.endsWith("/") ? address : `${address}/`);

export const LOCK_FILE = "pyodide-lock.json";
export const WASM_FILE = "pyodide.asm.wasm";
export const LIBRARY_FILE = "python_stdlib.zip";
/** What stock Pyodide starts with, which runs it in Node. */
export const LOADER_FILE = "pyodide.mjs";

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

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
    );
  }
}

async function download(address) {
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === ATTEMPTS;
    try {
      const response = await fetch(address);
      if (response.ok) return Buffer.from(await response.arrayBuffer());
      if (last || response.status < 500) {
        throw new Problem(
          `${address} answered with status ${response.status}.`,
          "Check the address; the wheels of a distribution can be elsewhere: --wheels.",
        );
      }
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (last) {
        const why = error.cause?.message ?? error.message;
        throw new Problem(`${address} cannot be loaded: ${why}.`, "Check the connection, and run the same again.");
      }
    }
    await new Promise((done) => setTimeout(done, 300 * 2 ** attempt));
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

  async function fromPlace(root, name, expected) {
    if (!isAddress(root)) {
      return readFile(join(resolve(root), name)).catch((error) => {
        if (error.code === "ENOENT") return undefined;
        throw new Problem(`${join(root, name)} cannot be read: ${error.message}`);
      });
    }
    const kept = join(downloads, name);
    const there = await readFile(kept).catch(() => undefined);
    if (there && expected !== undefined && sha256(there) === expected) return there;
    const bytes = await download(withSlash(root) + name);
    await writeWhole(kept, bytes);
    return bytes;
  }

  /** A file that the distribution must have. */
  async function file(name) {
    const bytes = await fromPlace(place, name);
    if (bytes) return bytes;
    throw new Problem(`${place} has no ${name}.`, "`--distribution` must be the folder of a whole Pyodide release.");
  }

  return {
    place,
    file,
    /**
     * The archive of a package, checked against its hash.
     *
     * @param {{ name: string, file_name: string, sha256: string }} entry of the lock file
     * @param {string} version of the distribution
     */
    async wheel(entry, version) {
      const roots = wheels !== undefined ? [wheels] : [place, ...(isAddress(place) ? [] : [publicAddress(version)])];
      const [root, name] = isAddress(entry.file_name)
        ? [entry.file_name.slice(0, entry.file_name.lastIndexOf("/") + 1), entry.file_name.split("/").at(-1)]
        : [undefined, entry.file_name];
      for (const from of root ? [root] : roots) {
        const bytes = await fromPlace(from, name, entry.sha256);
        if (!bytes) continue;
        const actual = sha256(bytes);
        if (actual === entry.sha256.toLowerCase()) return bytes;
        throw new Problem(
          `${name} is not what the lock file says: its SHA-256 is ${actual}, it should be ${entry.sha256}.`,
          `Get the file again; it came from ${from}.`,
        );
      }
      throw new Problem(
        `${entry.name} is in the lock file, but ${name} is not in ${roots.join(" or ")}.`,
        "Say where the wheels are with --wheels.",
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
      await mkdir(downloads, { recursive: true });
      for (const name of names) await file(name);
      return downloads;
    },
  };
}
