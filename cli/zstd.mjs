/**
 * Zstandard (RFC 8878) for servers that hand files out with that coding: by Node where it has it (22.15 and later), else by
 * the reference library as WebAssembly, in a thread of its own.
 */
import { once } from "node:events";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import * as zlib from "node:zlib";

/** Browsers take windows of at most 8 MiB (RFC 9659, section 3). The library's levels up to 19 have no larger ones. */
const WINDOW_BITS = 23;

let thread;
/** One after the other: there is one thread. */
let last = Promise.resolve();

async function inThread(work) {
  thread ??= new Worker(new URL("./zstd-thread.mjs", import.meta.url));
  thread.ref();
  thread.postMessage(work);
  const [{ bytes, error }] = await once(thread, "message");
  // It does not keep the process from ending.
  thread.unref();
  if (error !== undefined) throw new Error(error);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function queued(work) {
  const done = last.then(() => inThread(work));
  last = done.catch(() => {});
  return done;
}

/** @param {number} level from 1 to 19 */
export function compress(data, level) {
  if (zlib.zstdCompress === undefined) return queued({ data, level });
  const { ZSTD_c_compressionLevel: LEVEL, ZSTD_c_windowLog: WINDOW } = zlib.constants;
  return promisify(zlib.zstdCompress)(data, { params: { [LEVEL]: level, [WINDOW]: WINDOW_BITS } });
}

export function decompress(data) {
  return zlib.zstdDecompress === undefined ? queued({ data }) : promisify(zlib.zstdDecompress)(data);
}
