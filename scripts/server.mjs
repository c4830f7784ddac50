/** A static server for pages that run Python: right types, isolation, caching, compression, ranges. */
import { createServer } from "node:http";
import { join, normalize, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./common/problem.mjs";
import { content, encoded } from "./server/content.mjs";
import { distort, send, takeHook } from "./server/hook.mjs";
import { mediaType } from "./server/media-type.mjs";

/** Hosts on which a page is a secure context without a certificate. */
const HOST = "127.0.0.1";
const FOREVER = "public, max-age=31536000, immutable";
/** What changes under the same name: a document, and these when a distribution is prepared anew. */
const CHANGING = /\/(pyodide-lock\.json|python_stdlib\.zip|[^/]*\.html)?$/;
const HASHED = /[./-][0-9a-f]{16,}[./]/;

/** The file that a path names, never outside its root; undefined where no root fits. */
function locate(roots, path) {
  const prefixes = Object.keys(roots).sort((a, b) => b.length - a.length);
  const prefix = prefixes.find((one) => path.startsWith(one));
  if (prefix === undefined) return undefined;
  const root = typeof roots[prefix] === "string" ? { folder: roots[prefix] } : roots[prefix];
  const file = normalize(join(root.folder, path.slice(prefix.length)));
  if (file !== normalize(root.folder) && !file.startsWith(normalize(root.folder + sep))) return undefined;
  const isPython = root.immutable ?? prefix.startsWith("/python/");
  return { file: path.endsWith("/") ? join(file, "index.html") : file, immutable: root.immutable ?? true, isPython };
}

const isForEver = (place, path) => place.immutable && (HASHED.test(path) || (place.isPython && !CHANGING.test(path)));

/** The bytes asked for: `[start, end)`; undefined for all, null where there are none. */
function rangeOf(header, length) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const start = match[1] === "" ? Math.max(0, length - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? length : Math.min(length, Number(match[2]) + 1);
  return start < end ? { start, end } : null;
}

function baseHeaders(isolated) {
  const headers = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
  };
  if (isolated) {
    headers["Cross-Origin-Opener-Policy"] = "same-origin";
    headers["Cross-Origin-Embedder-Policy"] = "require-corp";
  }
  return headers;
}

/** Answers with the file at `path`, bent by `hook`; resolves with what is to be logged. */
async function answerFile({ roots, compress, request, response, path, hook }) {
  const place = locate(roots, path);
  const entry = place && (await content(place.file));
  const finish = async (status, data, promised = data.length) => {
    const headers = { "Content-Length": promised, ...hook?.headers };
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) response.removeHeader(name);
      else response.setHeader(name, value);
    }
    response.writeHead(hook?.status ?? status);
    const sent = { status: hook?.status ?? status, bytes: 0 };
    if (request.method === "HEAD" || status === 304) response.end();
    else sent.bytes = await send(response, data, hook);
    return sent;
  };
  if (hook?.status !== undefined || (!entry && hook?.body === undefined)) {
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    response.setHeader("Cache-Control", "no-store");
    return finish(404, Buffer.from(hook?.body ?? `There is nothing at ${path}\n`));
  }
  response.setHeader("Content-Type", mediaType(place?.file ?? path));
  if (hook && !hook.ranges) {
    response.setHeader("Cache-Control", "no-store");
    const whole = hook.body === undefined ? entry.data : Buffer.from(hook.body);
    return finish(200, distort(whole, hook));
  }
  response.setHeader("Cache-Control", isForEver(place, path) ? FOREVER : "no-cache");
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Vary", "Accept-Encoding");
  const range = rangeOf(request.headers.range, entry.data.length);
  const coded =
    compress && range === undefined ? await encoded(place.file, entry, request.headers["accept-encoding"]) : undefined;
  const tag = `"${entry.hash.slice(0, 32)}${coded ? `-${coded.encoding}` : ""}"`;
  response.setHeader("ETag", tag);
  if (request.headers["if-none-match"]?.includes(tag)) return finish(304, Buffer.alloc(0), undefined);
  if (range === null) {
    response.setHeader("Content-Range", `bytes */${entry.data.length}`);
    return finish(416, Buffer.alloc(0));
  }
  if (range && (request.headers["if-range"] ?? tag) === tag) {
    response.setHeader("Content-Range", `bytes ${range.start}-${range.end - 1}/${entry.data.length}`);
    return finish(206, entry.data.subarray(range.start, range.end));
  }
  if (coded) response.setHeader("Content-Encoding", coded.encoding);
  return { ...(await finish(200, coded?.data ?? entry.data)), encoding: coded?.encoding };
}

async function listen(server, port, tries) {
  for (let attempt = 0; ; attempt += 1) {
    const error = await new Promise((resolve) => {
      server.once("error", resolve);
      server.listen(port === 0 ? 0 : port + attempt, HOST, () => {
        server.off("error", resolve);
        resolve(undefined);
      });
    });
    if (!error) return server.address().port;
    if (error.code !== "EADDRINUSE" || attempt + 1 >= tries) {
      throw new Problem(`Port ${port + attempt} cannot be used (${error.message}).`, "Choose another with --port.");
    }
  }
}

/**
 * Starts a server on localhost.
 *
 * @param {object} options
 * @param {Record<string, string | { folder: string, immutable?: boolean }>} options.roots folders by path prefix, each
 *   ending in `/`; the longest that fits is taken. Under `/python/` everything but lock files may be cached for ever, else
 *   what has a hash in its name.
 * @param {boolean} [options.isolated] send COOP and COEP, so that pages have SharedArrayBuffer; default true
 * @param {boolean} [options.compress] default true
 * @param {import("./server/hook.mjs").Hook[]} [options.hooks] may be changed while the server runs
 * @param {Record<string, (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) =>
 *   void>} [options.handlers] answers that are not files, by path
 * @param {number} [options.port] default: any that is free
 * @param {number} [options.tries] how many ports to try from `port` on; default 1
 * @returns {Promise<{ url: string, port: number, log: { method: string, path: string, status: number, bytes: number,
 *   encoding?: string, range?: string, ifRange?: string, time: number, until?: number }[], hooks:
 *   import("./server/hook.mjs").Hook[], close(): Promise<void> }>} `url` has no slash at its end; `bytes` are of the body
 *   as sent
 */
export async function startServer({
  roots,
  isolated = true,
  compress = true,
  hooks = [],
  handlers = {},
  port = 0,
  tries = 1,
}) {
  const log = [];
  const answer = async (request, response) => {
    const time = performance.now();
    for (const [name, value] of Object.entries(baseHeaders(isolated))) response.setHeader(name, value);
    let path;
    try {
      path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    } catch {
      response.writeHead(400).end();
      return;
    }
    if (handlers[path]) return handlers[path](request, response);
    if (!["GET", "HEAD"].includes(request.method)) {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const { range, "if-range": ifRange } = request.headers;
    const record = { method: request.method, path, range, ifRange, status: 0, bytes: 0, time };
    log.push(record);
    const hook = takeHook(hooks, path);
    if (hook?.delay) await sleep(hook.delay);
    if (hook?.refuse) return void request.socket.destroy();
    if (hook?.hang) return;
    Object.assign(record, await answerFile({ roots, compress, request, response, path, hook }));
    record.until = performance.now();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const bound = await listen(server, port, tries);
  return {
    url: `http://localhost:${bound}`,
    port: bound,
    log,
    hooks,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
