/** A package index on an origin of its own, for tests: the Simple API over real wheels and over wheels made here. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename } from "node:path";
import { crc32, inflateRawSync } from "node:zlib";

const JSON_TYPE = "application/vnd.pypi.simple.v1+json";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** As PEP 503 normalises it. */
const normalise = (name) => name.toLowerCase().replace(/[-_.]+/g, "-");

/** A ZIP file of stored entries. */
export function zip(files) {
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, data] = [Buffer.from(path), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, tail, name]));
    parts.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/**
 * A wheel made here: for what no real wheel is, such as one that lies.
 *
 * @param {string} name as in the file name
 * @param {string} version
 * @param {object} [options]
 * @param {string[]} [options.requires] `Requires-Dist`
 * @param {string} [options.python] `Requires-Python`
 * @param {Record<string, string | Uint8Array>} [options.files] contents by path; default: a module of the wheel's name
 * @param {string} [options.metadata] instead of a proper `METADATA`
 * @param {string} [options.tag] default `py3-none-any`
 * @param {(record: string) => string} [options.record] changes `RECORD`
 */
export function wheel(name, version, options = {}) {
  const { requires = [], python, tag = "py3-none-any", record = (text) => text } = options;
  const folder = `${name}-${version}.dist-info`;
  const head = [`Metadata-Version: 2.1`, `Name: ${name}`, `Version: ${version}`];
  if (python) head.push(`Requires-Python: ${python}`);
  const extras = new Set(requires.flatMap((text) => /extra == ['"]([^'"]+)/.exec(text)?.[1] ?? []));
  head.push(
    ...[...extras].map((extra) => `Provides-Extra: ${extra}`),
    ...requires.map((text) => `Requires-Dist: ${text}`),
  );
  const files = {
    ...(options.files ?? { [`${name}.py`]: `version = "${version}"\n` }),
    [`${folder}/METADATA`]: options.metadata ?? `${head.join("\n")}\n`,
    [`${folder}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
  };
  const rows = Object.entries(files).map(([path, text]) => {
    const hash = createHash("sha256").update(text).digest("base64url");
    return `${path},sha256=${hash},${Buffer.byteLength(text)}\n`;
  });
  files[`${folder}/RECORD`] = record(`${rows.join("")}${folder}/RECORD,,\n`);
  return { filename: `${name}-${version}-${tag}.whl`, bytes: zip(files), python };
}

/** A real wheel, as something to offer. */
export async function realWheel(path, more = {}) {
  return { filename: basename(path), bytes: await readFile(path), ...more };
}

/** The files of a wheel, by path, read without Python. */
export function filesOf(bytes) {
  const files = {};
  for (let at = bytes.indexOf("PK\x01\x02", 0, "latin1"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 4, "latin1")) {
    const path = bytes.toString("utf8", at + 46, at + 46 + bytes.readUInt16LE(at + 28));
    const [method, size, local] = [
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 42),
    ];
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + size);
    files[path] = method === 8 ? inflateRawSync(data) : data;
  }
  return files;
}

/** `METADATA` of a wheel. */
function metadataOf(bytes) {
  const files = filesOf(bytes);
  const path = Object.keys(files).find((path) => /^[^/]+\.dist-info\/METADATA$/.test(path));
  if (path === undefined) throw new Error("the wheel has no METADATA");
  return files[path];
}

/** The page of a project in HTML, as PEP 503 has it. */
function htmlPage(project, files) {
  const quote = (text) =>
    text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const links = files.map(({ filename, bytes, python, yanked, offersMetadata }) => {
    const attributes = [`href="../../files/${encodeURIComponent(filename)}#sha256=${sha256(bytes)}"`];
    if (python) attributes.push(`data-requires-python="${quote(python)}"`);
    if (yanked !== undefined) attributes.push(`data-yanked="${quote(yanked)}"`);
    if (offersMetadata) attributes.push(`data-core-metadata="sha256=${sha256(metadataOf(bytes))}"`);
    return `<a ${attributes.join(" ")}>${filename}</a><br>`;
  });
  return `<!doctype html><html><head><meta name="pypi:repository-version" content="1.1"><title>${project}</title></head>
<body>${links.join("\n")}</body></html>`;
}

/** The page of a project in JSON, as PEP 691 has it. */
function jsonPage(project, files, folder) {
  return JSON.stringify({
    meta: { "api-version": "1.1" },
    name: project,
    files: files.map(({ filename, bytes, python, yanked, offersMetadata, hash, saysSize = true }) => ({
      filename,
      url: `${folder}${encodeURIComponent(filename)}`,
      hashes: { sha256: hash ?? sha256(bytes) },
      ...(python && { "requires-python": python }),
      ...(yanked !== undefined && { yanked }),
      ...(offersMetadata && { "core-metadata": { sha256: sha256(metadataOf(bytes)) } }),
      ...(saysSize && { size: bytes.length }),
    })),
  });
}

/**
 * Starts an index. Each file is `{ filename, bytes }` and, as far as wanted, `python`, `yanked`, `offersMetadata`, `hash`
 * (what the index says), `saysSize`, `project` (where it is listed).
 *
 * @param {object[]} files
 * @param {object} [options]
 * @param {boolean} [options.html] answer in HTML
 * @param {boolean} [options.absolute] whole addresses in JSON, as PyPI's; default false
 * @param {boolean} [options.ranges] answer requests for ranges; default true
 * @param {boolean} [options.cors] allow other origins; default true
 * @returns {Promise<{ url: string, root: string, files: object[], log: { method: string, path: string, range?: string,
 *   bytes: number }[], pages: Record<string, (request, response) => void>, close(): Promise<void> }>} `root` is what
 *   `indexURLs` takes; `pages` answers single paths in another way
 */
export async function startIndex(files, { html = false, absolute = false, ranges = true, cors = true } = {}) {
  const log = [];
  const pages = {};
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const record = { method: request.method, path, range: request.headers.range, bytes: 0 };
    log.push(record);
    if (cors) response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Cache-Control", "no-store");
    const send = (status, type, body) => {
      response.writeHead(status, { "Content-Type": type, "Content-Length": body.length });
      record.bytes = request.method === "HEAD" ? 0 : body.length;
      response.end(request.method === "HEAD" ? undefined : body);
    };
    // A request that has to be asked for beforehand is one that PyPI would refuse.
    if (request.method === "OPTIONS") return send(405, "text/plain", "");
    if (pages[path]) return pages[path](request, response);
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    if (project) {
      // micropip takes addresses as they are.
      const folder = absolute ? `http://${request.headers.host}/files/` : "../../files/";
      const listed = files.filter((file) => (file.project ?? normalise(file.filename.split("-")[0])) === project);
      if (listed.length === 0) return send(404, "text/plain", "There is no such project.");
      if (html) return send(200, "text/html; charset=utf-8", Buffer.from(htmlPage(project, listed)));
      return send(200, JSON_TYPE, Buffer.from(jsonPage(project, listed, folder)));
    }
    const [, filename, suffix] = /^\/files\/(.+\.whl)(\.metadata)?$/.exec(path) ?? [];
    const file = files.find((one) => one.filename === filename);
    if (!file || (suffix && !file.offersMetadata)) return send(404, "text/plain", "There is no such file.");
    if (suffix) return send(200, "application/octet-stream", metadataOf(file.bytes));
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (!ranges || start === undefined) return send(200, "application/octet-stream", file.bytes);
    response.setHeader("Content-Range", `bytes ${start}-${end}/${file.bytes.length}`);
    return send(206, "application/octet-stream", file.bytes.subarray(Number(start), Number(end) + 1));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://localhost:${server.address().port}`;
  return {
    url,
    root: `${url}/simple`,
    files,
    log,
    pages,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
