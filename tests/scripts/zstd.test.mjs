/** Zstandard: what browsers take, by whichever of the two ways. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compress, decompress } from "../../cli/zstd.mjs";

/** Of the frame header (RFC 8878, section 3.1.1.1): the window, or where there is only one segment the size of its content. */
function windowOf(frame) {
  assert.equal(frame.readUInt32LE(0), 0xfd2fb528);
  const isSingleSegment = (frame[4] & 0x20) !== 0;
  if (isSingleSegment) return undefined;
  const [exponent, mantissa] = [frame[5] >> 3, frame[5] & 7];
  return 2 ** (10 + exponent) * (1 + mantissa / 8);
}

/** Bytes that repeat far apart. */
function data(length) {
  const bytes = Buffer.alloc(length);
  for (let n = 0, seed = 1; n < length; n += 1) {
    if (n % 64 === 0) seed = (n / 64) % 1009;
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    bytes[n] = seed >> 16;
  }
  return bytes;
}

test("what was compressed comes back, several at a time", async () => {
  const files = [Buffer.alloc(0), Buffer.from("taipan"), data(1_000_000)];
  const compressed = await Promise.all(files.map((file) => compress(file, 19)));
  const back = await Promise.all(compressed.map((file) => decompress(file)));
  for (const [n, file] of files.entries()) assert.ok(back[n].equals(file), String(n));
  assert.ok(compressed[2].length < 0.2 * files[2].length);
});

test("the window of a large file is one that browsers take", async () => {
  const window = windowOf(await compress(data(20_000_000), 19));
  assert.ok(window !== undefined && window <= 8 * 1024 * 1024, String(window));
});

test("what is no frame is an error, and the next file is compressed", async () => {
  await assert.rejects(decompress(Buffer.from("not compressed")));
  assert.equal((await decompress(await compress(Buffer.from("next"), 1))).toString(), "next");
});
