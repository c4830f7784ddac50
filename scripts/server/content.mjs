/** A file's bytes with their hash, and the same bytes compressed, which is done once for all clones. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import * as zstd from "../../cli/zstd.mjs";
import { writeWhole } from "../common/file.mjs";
import { cache } from "../common/paths.mjs";
import { isCompressible } from "./media-type.mjs";

const BIG = 1 << 20;
const SMALL = 1 << 10;
/** What does not get smaller than this share is sent as it is. */
const WORTHWHILE = 0.9;

/** In this order, where a client takes several: browsers read Zstandard in a third of the time, on every visit. */
const compress = {
  zstd: (data) => zstd.compress(data, data.length > BIG ? 12 : 19),
  br: (data) =>
    promisify(brotliCompress)(data, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: data.length > BIG ? 9 : 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
      },
    }),
  gzip: (data) => promisify(gzip)(data, { level: 9 }),
};

const known = new Map();

/**
 * @returns {Promise<{ data: Buffer, hash: string, compressed: Map<string, Promise<Buffer>>, beside: Map<string,
 *   Promise<Buffer>> } | undefined>} undefined where there is no such file
 */
export async function content(path) {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const stamp = `${found.mtimeMs} ${found.size} ${found.ino}`;
  const entry = known.get(path);
  if (entry?.stamp === stamp) return entry;
  const data = await readFile(path);
  const hash = createHash("sha256").update(data).digest("hex");
  const fresh = { stamp, data, hash, compressed: new Map(), beside: new Map() };
  known.set(path, fresh);
  return fresh;
}

async function compressedOnce(encoding, { data, hash }) {
  const path = join(cache, "compressed", `${hash}.${encoding}`);
  const kept = await readFile(path).catch(() => undefined);
  if (kept) return kept;
  const made = await compress[encoding](data);
  await writeWhole(path, made);
  return made;
}

/** The names of files that hold the same, compressed beforehand (as `taipan prepare` leaves them). */
const SUFFIXES = { zstd: ".zst", br: ".br", gzip: ".gz" };

/** What lies beside a file in one of the codings, made from what the file is now. */
async function besideIt(path, encodings, entry) {
  for (const encoding of encodings) {
    const variant = await stat(path + SUFFIXES[encoding]).catch(() => undefined);
    if (!variant?.isFile() || variant.size >= entry.data.length) continue;
    if (!entry.beside.has(encoding)) entry.beside.set(encoding, readFile(path + SUFFIXES[encoding]));
    return { encoding, data: await entry.beside.get(encoding) };
  }
  return undefined;
}

/** The coding that is best of those the client accepts, or undefined for the bytes as they are. */
export async function encoded(path, entry, accepted = "") {
  const encodings = Object.keys(SUFFIXES).filter((name) => new RegExp(`\\b${name}\\b`).test(accepted));
  const beside = await besideIt(path, encodings, entry);
  if (beside) return beside;
  const encoding = encodings.find((name) => name in compress);
  if (!encoding || !isCompressible(path) || entry.data.length < SMALL) return undefined;
  if (!entry.compressed.has(encoding)) entry.compressed.set(encoding, compressedOnce(encoding, entry));
  const data = await entry.compressed.get(encoding);
  return data.length < WORTHWHILE * entry.data.length ? { encoding, data } : undefined;
}
