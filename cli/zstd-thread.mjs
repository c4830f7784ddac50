/** The thread of `zstd.mjs`: compresses where there is a level, else decompresses. */
import { parentPort } from "node:worker_threads";
import { compress, decompress, init } from "@bokuweb/zstd-wasm";

const ready = init();

parentPort.on("message", async ({ data, level }) => {
  try {
    await ready;
    parentPort.postMessage({ bytes: level === undefined ? decompress(data) : compress(data, level) });
  } catch (error) {
    parentPort.postMessage({ error: String(error?.message ?? error) });
  }
});
