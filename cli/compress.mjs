/** Compressed variants beside files, for servers that hand them out (`X.zst`, `X.br`, `X.gz`). */
import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import { sha256 } from "./distribution.mjs";
import { writeWhole } from "./file.mjs";
import * as zstd from "./zstd.mjs";

/** What does not get smaller than this share has no variant. */
const WORTHWHILE = 0.95;

/** How much time compressing may take: `best` is for a deployment, `fast` for one's own machine. */
export const EFFORTS = { best: { br: 11, zst: 19 }, fast: { br: 7, zst: 12 }, none: undefined };

/** @typedef {{ gz?: number, zst?: number, br?: number }} Sizes bytes that are sent with each coding */

/** Zstandard is what browsers decompress fastest: with a fast line that counts for more than a byte in ten. */
const CODINGS = {
  gz: {
    name: "gzip",
    compress: (data) => promisify(gzip)(data, { level: 9 }),
    decompress: promisify(gunzip),
  },
  zst: {
    name: "zstd",
    compress: (data, effort) => zstd.compress(data, EFFORTS[effort].zst),
    decompress: zstd.decompress,
  },
  br: {
    name: "brotli",
    compress: (data, effort) =>
      promisify(brotliCompress)(data, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: EFFORTS[effort].br,
          [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
        },
      }),
    decompress: promisify(brotliDecompress),
  },
};
export const SUFFIXES = Object.keys(CODINGS);

/** What the codings are called, by the suffixes of their files. */
export const CODING_NAMES = Object.fromEntries(SUFFIXES.map((suffix) => [suffix, CODINGS[suffix].name]));

/** Whether a file is the variant of another, by its name. */
export const isVariant = (name) => SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`));

/**
 * Writes the variants of one file, unless they are there.
 *
 * @returns {Promise<Required<Sizes>>}
 */
async function writeVariants(path, data, hash, effort) {
  const sizes = {};
  for (const [suffix, { compress, decompress }] of Object.entries(CODINGS)) {
    const variant = `${path}.${suffix}`;
    const there = await readFile(variant).catch(() => undefined);
    if (there && sha256(await decompress(there).catch(() => "")) === hash) {
      sizes[suffix] = there.length;
      continue;
    }
    const made = await compress(data, effort);
    if (made.length < WORTHWHILE * data.length) await writeWhole(variant, made);
    else await rm(variant, { force: true });
    sizes[suffix] = Math.min(made.length, data.length);
  }
  return sizes;
}

/**
 * Writes files and their variants, several at a time, the largest first. What is there with the right content stays.
 *
 * @param {{ path: string, data: Buffer, sha256: string }[]} files
 * @param {keyof EFFORTS} effort
 * @param {(done: number, total: number, name: string) => void} onProgress in bytes
 * @returns {Promise<Map<string, Sizes>>} by path
 */
export async function writeFiles(files, effort, onProgress) {
  const queue = [...files].sort((a, b) => b.data.length - a.data.length);
  const total = queue.reduce((sum, { data }) => sum + data.length, 0);
  const sizes = new Map();
  let done = 0;
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const { path, data, sha256: hash } = file;
      const there = await readFile(path).catch(() => undefined);
      if (!there || sha256(there) !== hash) await writeWhole(path, data);
      sizes.set(path, effort === "none" ? {} : await writeVariants(path, data, hash, effort));
      done += data.length;
      onProgress(done, total, path);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  return sizes;
}
