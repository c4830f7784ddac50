/** ZIP files (APPNOTE.TXT 6.3.10): read as wheels have them, written with stored entries. */
import { inflateRawSync, crc32 as nodeCrc32 } from "node:zlib";
import { Problem } from "./problem.mjs";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;
const STORED = 0;
const DEFLATED = 8;
/** Names are UTF-8 (bit 11 of the flags). */
const UTF8 = 0x0800;
const MAX_ENTRIES = 65_535;

/**
 * @typedef {object} Entry
 * @property {string} path with `/` between names; directories end in one
 * @property {number} time DOS time
 * @property {number} date DOS date
 * @property {number} madeBy version and system of the program that made it
 * @property {number} attributes external attributes: with Unix, the mode in the upper half
 * @property {number} size bytes when inflated
 * @property {() => Buffer} read inflates
 */

/** Seconds since 1970 of an entry's DOS date and time, taken as UTC: what `core::archive` makes the file's `mtime`. */
export function modified({ date, time }) {
  const day = Date.UTC(1980 + (date >> 9), Math.min(Math.max((date >> 5) & 15, 1), 12) - 1, Math.max(date & 31, 1));
  return day / 1000 + (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2;
}

/** The permissions that a mounted entry has, as `core::archive` reads them. */
export function permissions({ madeBy, attributes }) {
  const mode = [3, 19].includes(madeBy >> 8) ? (attributes >>> 16) & 0o777 : 0;
  return mode === 0 ? 0o644 : mode | 0o600;
}

/**
 * @param {Buffer} bytes
 * @param {string} name for messages
 * @returns {Entry[]} in the order of the archive
 */
export function readZip(bytes, name) {
  const damaged = (why) =>
    new Problem(`${name} cannot be read: ${why}.`, "The file is damaged: remove it and get it again.");
  let end = bytes.length - END_SIZE;
  while (end >= 0 && bytes.readUInt32LE(end) !== END) end -= 1;
  if (end < 0) throw damaged("it has no end record of a ZIP file");
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  const entries = [];
  for (let index = 0; index < count; index += 1) {
    if (at + CENTRAL_SIZE > end || bytes.readUInt32LE(at) !== CENTRAL) throw damaged("its directory is broken");
    const nameLength = bytes.readUInt16LE(at + 28);
    const compressedSize = bytes.readUInt32LE(at + 20);
    const method = bytes.readUInt16LE(at + 10);
    const header = bytes.readUInt32LE(at + 42);
    const path = bytes.toString("utf8", at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength);
    if (header + LOCAL_SIZE > end || bytes.readUInt32LE(header) !== LOCAL) throw damaged(`${path} has no header`);
    const start = header + LOCAL_SIZE + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    if (start + compressedSize > end || ![STORED, DEFLATED].includes(method)) throw damaged(`${path} is damaged`);
    const data = bytes.subarray(start, start + compressedSize);
    entries.push({
      path,
      time: bytes.readUInt16LE(at + 12),
      date: bytes.readUInt16LE(at + 14),
      madeBy: bytes.readUInt16LE(at + 4),
      attributes: bytes.readUInt32LE(at + 38),
      size: bytes.readUInt32LE(at + 24),
      read: () => (method === STORED ? data : inflateRawSync(data)),
    });
    at += CENTRAL_SIZE + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** Node has `crc32` from 20.15 on. */
export const crc32 = nodeCrc32 ?? slowCrc32;

let table;
function slowCrc32(bytes) {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let checksum = 0xffffffff;
  for (const byte of bytes) checksum = table[(checksum ^ byte) & 255] ^ (checksum >>> 8);
  return (checksum ^ 0xffffffff) >>> 0;
}

/**
 * A ZIP file of stored entries: compressed as a whole on its way, it gets smaller than with each entry for itself, and
 * nobody has to inflate in the browser.
 *
 * @param {{ path: string, time: number, date: number, madeBy: number, attributes: number, data: Buffer }[]} files
 * @returns {Buffer}
 */
export function writeZip(files) {
  if (files.length >= MAX_ENTRIES) throw new Problem(`${files.length} files are too many for one archive.`);
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { path, time, date, madeBy, attributes, data } of files) {
    const name = Buffer.from(path);
    const header = Buffer.alloc(LOCAL_SIZE);
    header.writeUInt32LE(LOCAL, 0);
    header.writeUInt16LE(20, 4);
    header.writeUInt16LE(UTF8, 6);
    header.writeUInt16LE(STORED, 8);
    header.writeUInt16LE(time, 10);
    header.writeUInt16LE(date, 12);
    header.writeUInt32LE(crc32(data), 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt32LE(data.length, 22);
    header.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(CENTRAL_SIZE);
    central.writeUInt32LE(CENTRAL, 0);
    central.writeUInt16LE(madeBy, 4);
    header.copy(central, 6, 4, 30);
    central.writeUInt32LE(attributes, 38);
    central.writeUInt32LE(offset, 42);
    parts.push(header, name, data);
    directory.push(central, name);
    offset += header.length + name.length + data.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
