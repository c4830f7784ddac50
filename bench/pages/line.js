/**
 * Tries the line as a loader uses it, by requests of a module worker: says whether a measurement over it is one of that line.
 * Answers the milliseconds until a small answer (`delay`), and bytes per second of six requests at once, of one, and of a
 * synchronous one.
 */
import { INDEX_URL } from "./steps.js";

const SIZE = 1_000_000;
/** Of no file that is compressed: ranges are not. */
const url = (name) => `${INDEX_URL}pyodide.asm.wasm?line=${name}`;
const headers = (size) => ({ Range: `bytes=0-${size - 1}` });

async function get(name, size = SIZE) {
  const response = await fetch(url(name), { headers: headers(size), cache: "no-store" });
  const bytes = (await response.arrayBuffer()).byteLength;
  if (bytes !== size) throw new Error(`${bytes} bytes instead of ${size}`);
}

function getSynchronously(name) {
  const request = new XMLHttpRequest();
  request.open("GET", url(name), false);
  request.responseType = "arraybuffer";
  for (const [key, value] of Object.entries(headers(SIZE))) request.setRequestHeader(key, value);
  request.send();
  if (request.response?.byteLength !== SIZE) throw new Error(`status ${request.status} of a synchronous request`);
}

async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

try {
  await get("first", 1);
  const small = [];
  for (let n = 0; n < 9; n += 1) small.push(await milliseconds(() => get(`small-${n}`, 1)));
  const perSecond = async (size, work) => (1000 * size) / (await milliseconds(work));
  postMessage({
    delay: small.sort((a, b) => a - b)[4],
    together: await perSecond(6 * SIZE, () => Promise.all([1, 2, 3, 4, 5, 6].map((n) => get(`together-${n}`)))),
    alone: await perSecond(SIZE, () => get("alone")),
    synchronous: await perSecond(SIZE, () => getSynchronously("synchronous")),
  });
} catch (error) {
  postMessage({ error: String(error?.stack ?? error) });
}
