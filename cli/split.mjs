/**
 * What of an archive a page needs at once, and what can wait until somebody reads it.
 *
 * At once: bytecode of the modules that the preparing run imported, other files that it read, and a wheel's metadata.
 * They stay in the archive. Side modules that the preparing run linked are joined into packs, any other becomes a file of
 * its own. Everything else is joined into parts of about half a megabyte, which the loader fetches when a file in them is
 * read: sources (for tracebacks) apart from the rest.
 */
import { basename } from "node:path";
import { sha256 } from "./distribution.mjs";
import { modified, permissions, writeZip } from "./zip.mjs";

/** Bytes of a part before it is compressed. */
const PART = 512 << 10;

/** Bytes of a pack of side modules: few requests, and yet some modules are compiled while others come. */
const PACK = 4 << 20;

/** So few bytes are not worth a request of their own. */
const LITTLE = 48 << 10;

/** The listing of what is elsewhere; the loader takes it out when it mounts the archive. */
export const LISTING = "taipan-detached.json";

export const SIDE_MODULE = /\.so(\.[0-9.]+)?$/;
const METADATA = /^[^/]+\.(dist-info|data)\//;

/** Where a module's bytecode is (PEP 3147). */
export function cachedPath(path, tag) {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}__pycache__/${path.slice(slash, -".py".length)}.${tag}.pyc`;
}

/** The address of a file from the folder that is served, with its content in it: it may be kept for ever. */
export const addressOf = (name, hash) => `files/${hash.slice(0, 16)}/${name}`;

/**
 * @typedef {object} Detached a file that is served beside the archive
 * @property {string} file_name
 * @property {Buffer} data
 * @property {string} sha256
 * @property {"side modules" | "part"} kind
 * @property {[path: string, size: number, modified: number, permissions: number][]} contents the files in it, in order
 */

/**
 * @param {object} archive
 * @param {string} archive.name of the package
 * @param {import("./zip.mjs").Entry[]} archive.entries
 * @param {Map<string, Uint8Array>} archive.bytecode by the path of the source
 * @param {string} archive.tag as in the names of bytecode files
 * @param {Set<string>} archive.read paths of files that the preparing run imported or read
 * @param {Set<string>} [archive.looked] modules whose source it looked at
 * @param {string[]} [archive.linked] side modules that it linked, in order
 * @returns {{ data: Buffer, detached: Detached[] }} the archive as it is to be served, and what is beside it
 */
export function split({ name, entries, bytecode, tag, read, looked = new Set(), linked = [] }) {
  const kept = [];
  const detached = [];
  const hot = new Map(linked.map((path) => [path, undefined]));
  const sources = [];
  const later = [];
  const detach = (file, members, kind) => {
    const data = Buffer.concat(members.map((member) => member.data));
    const hash = sha256(data);
    const contents = members.map((member) => [member.path, member.data.length, modified(member), permissions(member)]);
    detached.push({ file_name: addressOf(file, hash), data, sha256: hash, kind, contents });
  };
  const detachModule = (member) => detach(`${basename(member.path)}.wasm`, [member], "side modules");
  for (const entry of entries) {
    const { path, time, date, madeBy, attributes } = entry;
    if (path === LISTING) continue;
    if (path.endsWith("/")) {
      kept.push({ path, time, date, madeBy, attributes, data: Buffer.alloc(0) });
      continue;
    }
    const member = { path, time, date, madeBy, attributes, data: entry.read() };
    const compiled = bytecode.get(path);
    if (compiled) {
      const cached = { ...member, path: cachedPath(path, tag), data: Buffer.from(compiled) };
      (read.has(path) ? kept : later).push(cached);
    }
    if (METADATA.test(path) || isSymlink(entry) || member.data.length === 0) kept.push(member);
    else if (hot.has(path)) hot.set(path, member);
    else if (SIDE_MODULE.test(path)) detachModule(member);
    else if (compiled) (looked.has(path) ? kept : sources).push(member);
    else (read.has(path) ? kept : later).push(member);
  }
  for (const pack of parts([...hot.values()].filter(Boolean), PACK)) {
    if (pack.length === 1) detachModule(pack[0]);
    else detach(`${name}-side-modules.bin`, pack, "side modules");
  }
  for (const [kind, members] of [
    ["sources", sources.sort(byPath)],
    ["later", later.sort(byPath)],
  ]) {
    const total = members.reduce((sum, { data }) => sum + data.length, 0);
    if (total <= LITTLE) kept.push(...members);
    else for (const part of parts(members, PART)) detach(`${name}-${kind}.bin`, part, "part");
  }
  kept.sort(byPath);
  if (detached.length > 0) {
    const listing = detached.map(({ file_name, data, sha256: hash, contents }) => ({
      file_name,
      size: data.length,
      sha256: hash,
      contents,
    }));
    // The first time that ZIP files can have.
    const plain = { time: 0, date: 33, madeBy: 20, attributes: 0 };
    kept.push({ path: LISTING, ...plain, data: Buffer.from(JSON.stringify({ files: listing })) });
  }
  return { data: writeZip(kept), detached };
}

const isSymlink = ({ madeBy, attributes }) => [3, 19].includes(madeBy >> 8) && attributes >>> 28 === 0o12;

const byPath = (a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** Neighbours together, so that who needs one file finds the next one there too. `limit` is in bytes. */
function* parts(members, limit) {
  let part = [];
  let size = 0;
  for (const member of members) {
    if (part.length > 0 && size + member.data.length > limit) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(member);
    size += member.data.length;
  }
  if (part.length > 0) yield part;
}
