/** How a test makes the server misbehave for some addresses. */
import { setTimeout as sleep } from "node:timers/promises";

/**
 * @typedef {object} Hook
 * @property {string | RegExp | ((path: string) => boolean)} match the path, its end, or a test of it
 * @property {number} [times] only for so many requests
 * @property {number} [delay] milliseconds before the answer
 * @property {number} [status] answer with this status instead of the file
 * @property {string | Uint8Array} [body] answer with this instead of the file's bytes
 * @property {number} [truncate] cut the connection after so many bytes, having promised all
 * @property {number} [shorten] send so many bytes and promise no more
 * @property {boolean | number} [corrupt] change the byte at this offset, or in the middle
 * @property {number} [bytesPerSecond] send no faster
 * @property {number} [stall] send so many bytes, having promised all, and no more; the connection stays open
 * @property {boolean} [hang] accept the request and never answer
 * @property {boolean} [refuse] cut the connection without an answer
 * @property {boolean} [ranges] answer as without the hook, ranges, tags and caching included, before bytes are cut,
 *   stalled or slowed
 * @property {Record<string, string | undefined>} [headers] set, or removed where undefined
 */

const matches = ({ match }, path) => {
  if (typeof match === "function") return match(path);
  return match instanceof RegExp ? match.test(path) : path.endsWith(match);
};

/** The first hook for this path, used up by one where it is counted. */
export function takeHook(hooks, path) {
  const hook = hooks.find((one) => matches(one, path) && one.times !== 0);
  if (hook?.times !== undefined) hook.times -= 1;
  return hook;
}

/** The bytes that a hook lets through. */
export function distort(data, { corrupt, shorten }) {
  let result = data;
  if (corrupt !== undefined && corrupt !== false && data.length > 0) {
    const offset = corrupt === true ? data.length >> 1 : corrupt;
    result = Buffer.from(data);
    result[offset] ^= 0xff;
  }
  return shorten === undefined ? result : result.subarray(0, shorten);
}

/** Writes bytes, all or up to where the hook cuts, as fast as it allows; resolves with how many were written. */
export async function send(response, data, { truncate, stall, bytesPerSecond } = {}) {
  const allowed = data.subarray(0, truncate ?? stall);
  const piece = bytesPerSecond ? Math.max(1, Math.ceil(bytesPerSecond / 20)) : allowed.length;
  let written = 0;
  while (written < allowed.length && !response.destroyed) {
    const part = allowed.subarray(written, written + piece);
    const drained = response.write(part);
    written += part.length;
    if (!drained && !response.destroyed) {
      await new Promise((resolve) => {
        response.once("drain", resolve).once("close", resolve);
      });
    }
    if (bytesPerSecond) await sleep((1000 * part.length) / bytesPerSecond);
  }
  if (stall !== undefined) return written;
  if (truncate !== undefined) {
    // What has been written goes out before the connection is cut.
    await new Promise((resolve) => {
      response.write("", resolve);
      response.once("close", resolve);
    });
    response.destroy();
  } else response.end();
  return written;
}
