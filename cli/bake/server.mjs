/** What the page that bakes talks to: files, the job, and what it tells. On this machine alone, at an address nobody can guess. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** The largest thing that a page may tell: an image. */
const MOST = 2 ** 31;

async function bodyOf(request) {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > MOST) throw new Error("too much was sent");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/**
 * @param {object} options
 * @param {object} options.job what the page asks for at `job`
 * @param {(path: string) => Promise<Buffer | undefined>} options.distribution a file of the distribution
 * @param {URL} options.package the folder of this npm package's scripts
 * @param {(what: string, body: Buffer) => void} options.onTold
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function startServer({ job, distribution, package: own, onTold }) {
  const prefix = `/${randomUUID()}/`;
  const beside = (name) => readFile(new URL(name, import.meta.url));
  const find = async (path) => {
    if (path === "page.html" || path === "page.js") return beside(path);
    if (path === "job") return Buffer.from(JSON.stringify(job));
    const [, place, name] = path.includes("..") ? [] : (/^(taipan|distribution)\/(.+)$/.exec(path) ?? []);
    if (place === "taipan") return readFile(new URL(encodeURI(name), own));
    return place === "distribution" ? distribution(name) : undefined;
  };
  const answer = async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = pathname.startsWith(prefix) ? decodeURIComponent(pathname.slice(prefix.length)) : "";
    if (request.method === "POST" && path.startsWith("tell/")) {
      onTold(path.slice("tell/".length), await bodyOf(request));
      response.writeHead(204).end();
      return;
    }
    const body = await find(path);
    if (!body) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
    response.setHeader("Cache-Control", "no-store");
    response.end(body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(404);
      response.end();
    });
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
