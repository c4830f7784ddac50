import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { compress, decompress } from "../../cli/zstd.mjs";
import { startServer } from "../../scripts/server.mjs";

const TEXT = "taipan ".repeat(1000);
let folder;
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-server-"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await writeFile(join(folder, "text.js"), TEXT);
  await writeFile(join(folder, "pyodide-lock.json"), "{}");
  await writeFile(join(folder, "name.0123456789abcdef0123.js"), TEXT);
  await writeFile(join(folder, "module.wasm"), Buffer.from([0, 0x61, 0x73, 0x6d]));
  await writeFile(join(folder, "a-1.0-py3-none-any.whl"), TEXT);
  server = await startServer({ roots: { "/": folder, "/python/1/": folder } });
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** A request with exactly these headers; `fetch` adds and decodes on its own. */
const raw = (path, headers = {}, method = "GET") =>
  new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { headers, method, agent: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });

test("each file has the type that browsers want", async () => {
  assert.equal((await raw("/")).headers["content-type"], "text/html; charset=utf-8");
  assert.equal((await raw("/module.wasm")).headers["content-type"], "application/wasm");
  assert.equal((await raw("/text.js")).headers["content-type"], "text/javascript; charset=utf-8");
  assert.equal((await raw("/a-1.0-py3-none-any.whl")).headers["content-type"], "application/octet-stream");
});

test("pages are isolated unless told otherwise", async () => {
  const { headers } = await raw("/");
  assert.equal(headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(headers["cross-origin-embedder-policy"], "require-corp");
  const open = await startServer({ roots: { "/": folder }, isolated: false });
  const response = await fetch(`${open.url}/`);
  await open.close();
  assert.equal(response.headers.get("cross-origin-opener-policy"), null);
});

test("what has a hash in its name or is a distribution's may be kept, the rest is asked for again", async () => {
  assert.match((await raw("/name.0123456789abcdef0123.js")).headers["cache-control"], /immutable/);
  assert.match((await raw("/python/1/text.js")).headers["cache-control"], /immutable/);
  assert.equal((await raw("/")).headers["cache-control"], "no-cache");
  assert.equal((await raw("/python/1/pyodide-lock.json")).headers["cache-control"], "no-cache");
});

test("an entity tag saves sending the file again", async () => {
  const first = await raw("/text.js");
  assert.equal(first.body.toString(), TEXT);
  const second = await raw("/text.js", { "if-none-match": first.headers.etag });
  assert.equal(second.status, 304);
  assert.equal(second.body.length, 0);
});

test("text is compressed in the coding that the client takes, wheels never", async () => {
  for (const [accepted, coding, decompressed] of [
    ["gzip, br, zstd", "zstd", decompress],
    ["gzip, br", "br", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
  ]) {
    const { headers, body } = await raw("/text.js", { "accept-encoding": accepted });
    assert.equal(headers["content-encoding"], coding);
    assert.ok(body.length < 100);
    assert.equal((await decompressed(body)).toString(), TEXT);
  }
  assert.equal(await (await fetch(`${server.url}/text.js`)).text(), TEXT);
  assert.equal(
    (await raw("/a-1.0-py3-none-any.whl", { "accept-encoding": "br" })).headers["content-encoding"],
    undefined,
  );
});

test("what was compressed beforehand is sent in the coding that browsers decompress fastest", async () => {
  await writeFile(join(folder, "python.image"), TEXT);
  const variants = { zstd: await compress(Buffer.from(TEXT), 3), br: brotliCompressSync(TEXT), gzip: gzipSync(TEXT) };
  const suffixes = { zstd: ".zst", br: ".br", gzip: ".gz" };
  for (const [coding, bytes] of Object.entries(variants)) {
    await writeFile(join(folder, `python.image${suffixes[coding]}`), bytes);
  }
  for (const [accepted, coding] of [
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "br"],
    ["gzip, deflate", "gzip"],
  ]) {
    const { headers, body } = await raw("/python.image", { "accept-encoding": accepted });
    assert.equal(headers["content-encoding"], coding);
    assert.ok(body.equals(variants[coding]), coding);
  }
});

test("ranges", async () => {
  const part = await raw("/text.js", { range: "bytes=7-12" });
  assert.equal(part.status, 206);
  assert.equal(part.body.toString(), "taipan");
  assert.equal(part.headers["content-range"], `bytes 7-12/${TEXT.length}`);
  assert.equal((await raw("/text.js", { range: "bytes=-7" })).body.toString(), "taipan ");
  assert.equal((await raw("/text.js", { range: `bytes=${TEXT.length}-` })).status, 416);
  assert.equal((await raw("/text.js", { range: "bytes=0-1", "if-range": '"other"' })).status, 200);
});

test("nothing outside the roots is served", async () => {
  for (const path of ["/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/python/1/..%2f..%2f..%2fetc/hosts"]) {
    assert.equal((await raw(path)).status, 404, path);
  }
  assert.equal((await raw("/%")).status, 400);
  assert.equal((await raw("/text.js", {}, "POST")).status, 405);
});

test("hooks: status, body, corruption, shortening, counted", async () => {
  server.hooks.push({ match: "text.js", status: 503, times: 1 });
  assert.equal((await raw("/text.js")).status, 503);
  assert.equal((await raw("/text.js")).status, 200);
  server.hooks.splice(0, Number.POSITIVE_INFINITY, { match: /text/, corrupt: 3 });
  assert.notEqual((await raw("/text.js")).body.toString(), TEXT);
  assert.equal((await raw("/text.js")).body.length, TEXT.length);
  server.hooks.splice(0, 1, { match: (path) => path === "/text.js", shorten: 5 });
  assert.equal((await raw("/text.js")).body.toString(), "taipa");
  server.hooks.splice(0, 1, { match: "/none.wasm", body: "<html>", headers: { "Content-Type": "text/html" } });
  assert.equal((await raw("/none.wasm")).headers["content-type"], "text/html");
  server.hooks.length = 0;
});

test("hooks: a cut connection is an error for the client, a delay takes its time", async () => {
  server.hooks.push({ match: "text.js", truncate: 10 });
  await assert.rejects(raw("/text.js"));
  server.hooks.splice(0, 1, { match: "text.js", refuse: true });
  await assert.rejects(raw("/text.js"));
  server.hooks.splice(0, 1, { match: "text.js", delay: 150 });
  const start = performance.now();
  await raw("/text.js");
  assert.ok(performance.now() - start >= 145);
  server.hooks.splice(0, 1, { match: "text.js", bytesPerSecond: 35_000 });
  const slow = performance.now();
  assert.equal((await raw("/text.js")).body.length, TEXT.length);
  assert.ok(performance.now() - slow >= 150);
  server.hooks.length = 0;
});

test("the log counts the bytes sent", async () => {
  server.log.length = 0;
  await raw("/text.js");
  assert.deepEqual(
    server.log.map(({ path, status, bytes }) => ({ path, status, bytes })),
    [{ path: "/text.js", status: 200, bytes: TEXT.length }],
  );
});

test("a taken port is passed over", async () => {
  const next = await startServer({ roots: { "/": folder }, port: server.port, tries: 50 });
  assert.ok(next.port > server.port);
  await next.close();
  await assert.rejects(startServer({ roots: { "/": folder }, port: server.port }), /cannot be used/);
});
