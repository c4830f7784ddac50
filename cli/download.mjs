/** What is on servers: asked for again where that may help, from where a broken transfer ended, checked. */
import { createHash } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder, unwritable } from "./file.mjs";
import { Problem } from "./problem.mjs";

/** How often in a row something may fail without a byte having come that no attempt before had brought. */
const ATTEMPTS = 4;
/** Milliseconds before the second attempt; twice as long before each further one. */
const PAUSE = 300;
/** The longest that a server may ask to wait, in milliseconds. */
const LONGEST_PAUSE = 20_000;
/** Milliseconds without a byte after which a transfer is given up and begun again. */
const STALLED = 30_000;

const mayPass = (status) => [408, 425, 429].includes(status) || status >= 500;

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** An attempt that failed. `again`: another one may do, not before `pause` milliseconds. */
class Failed extends Error {
  constructor(message, { status, again, pause, cause } = {}) {
    super(message, { cause });
    Object.assign(this, { status, again, pause });
  }
}

function pauseOf(response) {
  const text = response.headers.get("retry-after");
  if (text === null) return undefined;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(milliseconds) ? Math.min(Math.max(milliseconds, 0), LONGEST_PAUSE) : undefined;
}

/** What servers want to be told, by their origin. */
const authorizations = new Map();

/**
 * An address without the name and password in it, which are remembered for its server: they are sent with requests, and
 * stand in no message.
 */
export function withoutCredentials(address) {
  if (!/^https?:\/\/[^/?#]*@/.test(address)) return address;
  const url = new URL(address);
  const [name, password] = [url.username, url.password].map(decodeURIComponent);
  // A wheel that names an address with another password does not change what the caller has said.
  if (!authorizations.has(url.origin)) {
    authorizations.set(url.origin, `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`);
  }
  url.username = "";
  url.password = "";
  return url.href;
}

function authorizationFor(address) {
  const authorization = authorizations.get(new URL(address).origin);
  return authorization ? { Authorization: authorization } : {};
}

/** One attempt: every chunk goes to `take`; `begin` is told the response first. */
async function attempt(address, headers, begin, take) {
  const controller = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`nothing came for ${STALLED / 1000} s`)), STALLED);
  };
  try {
    alive();
    const all = { ...headers, ...authorizationFor(address) };
    const response = await fetch(address, { headers: all, signal: controller.signal });
    if (!response.ok) {
      await response.body?.cancel();
      const { status } = response;
      throw new Failed(`answered with status ${status}`, { status, again: mayPass(status), pause: pauseOf(response) });
    }
    await begin(response);
    for await (const chunk of response.body ?? []) {
      alive();
      await take(chunk);
    }
    return response;
  } catch (error) {
    if (error instanceof Failed || error instanceof Problem) throw error;
    const why = error.cause?.message ?? error.message;
    throw new Failed(`cannot be loaded: ${why}`, { again: true, cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Attempts until one succeeds, or none will. `hasMoved` says whether the last one has brought something new. */
async function insist(address, work, hasMoved = () => false) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      if (hasMoved()) failures = 1;
      if (!error.again || failures >= ATTEMPTS) throw problem(address, error);
      const pause = PAUSE * 2 ** (failures - 1) * (0.5 + Math.random());
      await new Promise((done) => setTimeout(done, error.pause ?? pause));
    }
  }
}

function problem(address, { message, status, cause }) {
  if (status === undefined) {
    const next = "Check the connection, and run the same again: it goes on where it was.";
    return new Problem(`${address} ${message}.`, next, { code: "LOAD_NETWORK", cause });
  }
  const next = mayPass(status) ? "Run the same again later: it goes on where it was." : "Check the address.";
  const failure = new Problem(`${address} ${message}.`, next, { code: "LOAD_HTTP" });
  failure.status = status;
  return failure;
}

/** Whether the answer was that there is no such thing. */
export const isAbsent = (error) => error instanceof Problem && [403, 404, 410].includes(error.status);

/**
 * Gets something small.
 *
 * @param {string} place its address
 * @param {object} options
 * @param {string} [options.accept] the header of that name
 * @param {number} options.limit the most bytes
 * @returns {Promise<{ url: string, contentType: string, bytes: Buffer }>} `url`: where redirects led
 * @throws {Problem} `LOAD_NETWORK`, `LOAD_HTTP` (with `status`), `BAD_INDEX` for more bytes
 */
export async function get(place, { accept, limit }) {
  const address = withoutCredentials(place);
  return insist(address, async () => {
    const chunks = [];
    let length = 0;
    const response = await attempt(
      address,
      accept ? { Accept: accept } : {},
      () => {},
      (chunk) => {
        length += chunk.length;
        if (length > limit) {
          const message = `${address} answered with more than ${limit} bytes.`;
          throw new Problem(message, "Check the address.", { code: "BAD_INDEX" });
        }
        chunks.push(chunk);
      },
    );
    const contentType = response.headers.get("content-type") ?? "";
    return { url: response.url, contentType, bytes: Buffer.concat(chunks) };
  });
}

/**
 * Gets a file, unless it is there. What came of one whose hash is known is kept when the run is stopped, and the next
 * one asks for the rest.
 *
 * @param {string} place its address
 * @param {object} options
 * @param {string} options.to where it is kept
 * @param {string} [options.sha256] that it must have
 * @param {(loaded: number, total?: number) => void} [options.onProgress] in bytes
 * @returns {Promise<Buffer>}
 * @throws {Problem} `LOAD_NETWORK`, `LOAD_HTTP` (with `status`), `INTEGRITY`, `FILE_SYSTEM`
 */
export async function download(place, { to, sha256: expected, onProgress = () => {} }) {
  const address = withoutCredentials(place);
  const there = expected && (await readFile(to).catch(() => undefined));
  if (there && sha256(there) === expected) return there;
  const partial = `${to}.partial`;
  await makeFolder(dirname(to)).catch((error) => {
    throw unwritable(to, error);
  });
  if (!expected) await rm(partial, { force: true });
  const isResumed = (await lengthOf(partial)) > 0;
  let bytes = await transfer(address, partial, onProgress);
  if (expected && isResumed && sha256(bytes) !== expected) {
    // What was left is not the beginning of this.
    await rm(partial, { force: true });
    bytes = await transfer(address, partial, onProgress);
  }
  const actual = sha256(bytes);
  if (expected && actual !== expected) {
    await rm(partial, { force: true });
    throw new Problem(
      `${address} is not what it should be: its SHA-256 is ${actual}, it should be ${expected}.`,
      "Somebody has replaced the file, or it is damaged: get it from another place.",
      { code: "INTEGRITY" },
    );
  }
  await rename(partial, to).catch((error) => {
    throw unwritable(to, error);
  });
  return bytes;
}

const lengthOf = async (path) => (await stat(path).catch(() => undefined))?.size ?? 0;

/** All bytes, appended to what `partial` has. */
async function transfer(address, partial, onProgress) {
  let validator;
  let moved = false;
  const file = await open(partial, "a").catch((error) => {
    throw unwritable(partial, error);
  });
  try {
    let offset = (await file.stat()).size;
    // What comes again, because a server begins anew each time, is no progress.
    let furthest = offset;
    const once = async () => {
      moved = false;
      let total;
      // The bytes are wanted as they are: their rest is asked for by number.
      const headers = { "Accept-Encoding": "identity" };
      if (offset > 0) headers.Range = `bytes=${offset}-`;
      if (offset > 0 && validator) headers["If-Range"] = validator;
      const startAnew = async () => {
        await file.truncate(0);
        offset = 0;
      };
      const begin = async (response) => {
        const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
        if (response.status === 206 && Number(start) !== offset) {
          await startAnew();
          throw new Failed("answered with other bytes than were asked for", { again: true });
        }
        if (response.status !== 206 && offset > 0) await startAnew();
        const etag = response.headers.get("etag");
        validator = etag && !etag.startsWith("W/") ? etag : undefined;
        const length = response.headers.get("content-length");
        total = length === null ? undefined : offset + Number(length);
        onProgress(offset, total);
      };
      const take = async (chunk) => {
        await file.write(chunk).catch((error) => {
          throw unwritable(partial, error);
        });
        offset += chunk.length;
        moved ||= offset > furthest;
        furthest = Math.max(furthest, offset);
        onProgress(offset, total);
      };
      try {
        await attempt(address, headers, begin, take);
      } catch (error) {
        if (error.status !== 416) throw error;
        await startAnew();
        throw new Failed("has no such bytes", { again: true });
      }
    };
    await insist(address, once, () => moved);
  } finally {
    await file.close();
  }
  return readFile(partial);
}
