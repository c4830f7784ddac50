/** Downloads from a server that stalls, cuts, lies, is busy, or sends something else. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  api,
  cut,
  FOLDER,
  LARGE,
  load,
  requests,
  SMALL,
  STALL,
  serve,
  statuses,
  sum,
  take,
  usePage,
} from "./support/network.mjs";

usePage();

describe("a download that breaks off", { timeout: 300_000 }, () => {
  it("goes on where it broke off", async () => {
    const { name, file, size } = await take(LARGE);
    serve(cut(file, 1_000_000));
    assert.equal((await load([name])).error, undefined);
    const [first, second, ...more] = requests(file);
    assert.deepEqual(more, []);
    assert.equal(first.range, undefined);
    assert.equal(second.status, 206);
    const offset = Number(/^bytes=(\d+)-$/.exec(second.range)[1]);
    assert.ok(offset > 0 && offset <= 1_000_000, second.range);
    assert.match(second.ifRange, /^"[0-9a-f]+"$/);
    assert.equal(second.bytes, size - offset);
    const { value } = await api.evaluate(async () =>
      (await python({})).run("import numpy; numpy.arange(4).sum().item()"),
    );
    assert.equal(value, 6);
  });

  it("goes on as often as it brings something", async () => {
    const { name, file, size } = await take(LARGE);
    serve({ ...cut(file, 250_000), times: 6 });
    assert.equal((await load([name])).error, undefined);
    assert.equal(requests(file).length, 7);
    assert.ok(sum(requests(file).map(({ bytes }) => bytes)) < 1.4 * size);
  });

  it("goes on across origins, where the answer tells that it is the same version", async () => {
    const { name, file } = await take(LARGE);
    const packageBaseUrl = `http://127.0.0.1:${api.server.port}/second/`;
    const exposed = { "Access-Control-Expose-Headers": "*" };
    serve({ ...cut(file, 500_000), headers: exposed }, { match: file, ranges: true, headers: exposed });
    assert.equal((await load([name], { packageBaseUrl })).error, undefined);
    assert.deepEqual(statuses(file), [200, 206]);
    assert.equal(requests(file)[1].ifRange, undefined);
  });

  it("starts afresh across origins if nothing tells", async () => {
    const { name, file } = await take(LARGE);
    serve(cut(file, 500_000));
    const packageBaseUrl = `http://127.0.0.1:${api.server.port}/second/`;
    assert.equal((await load([name], { packageBaseUrl })).error, undefined);
    assert.deepEqual(statuses(file), [200, 200]);
  });

  it("starts afresh if the file has become another", async () => {
    const { name, file, size } = await take(LARGE);
    serve({ ...cut(file, size >> 1), headers: { ETag: '"other"' } });
    assert.equal((await load([name])).error, undefined);
    assert.deepEqual(statuses(file), [200, 200]);
    assert.equal(requests(file)[1].ifRange, '"other"');
  });

  it("starts afresh if the server has no such range, or gives another", async () => {
    for (const second of [{ status: 416 }, { ranges: true, headers: { "Content-Range": "bytes 7-9/10" } }]) {
      const { name, file, size } = await take(LARGE);
      serve(cut(file, size >> 1), { match: file, times: 1, ...second });
      assert.equal((await load([name])).error, undefined);
      assert.deepEqual(
        requests(file).map(({ range }) => range !== undefined),
        [false, true, false],
      );
    }
  });

  it("starts afresh if it was coded for the way", async () => {
    const { name, file, size } = await take(LARGE);
    const body = gzipSync(await readFile(join(FOLDER, file)), { level: 1 });
    const headers = { "Content-Encoding": "gzip", ETag: '"coded"' };
    const hook = { match: file, body, headers, times: 1 };
    serve({ ...hook, truncate: body.length >> 1 }, hook);
    const found = await load([name]);
    assert.equal(found.error, undefined);
    assert.deepEqual(
      requests(file).map(({ range, status }) => [range, status]),
      [
        [undefined, 200],
        [undefined, 200],
      ],
    );
    // The length of what is sent is not that of the file.
    const totals = found.progress.filter((one) => one.name === name).map(({ total }) => total);
    assert.ok(totals.length > 1 && totals.slice(0, -1).every((total) => total === undefined), `${totals}`);
    assert.equal(totals.at(-1), size);
  });

  it("fails with LOAD_NETWORK if it always does", async () => {
    serve({ match: /pandas-/, truncate: 1000, ranges: true });
    const { error } = await load(["pandas"]);
    assert.equal(error.code, "LOAD_NETWORK");
    assert.match(error.message, /pandas-.*whl/);
    assert.equal(requests(/pandas-/).length, 4);
  });

  it("does not keep Python from starting, whichever file of the distribution it is", async () => {
    const files = ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
    serve(...files.map((match) => cut(match, 90_000)));
    const value = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      const { value } = await python.run("1 + 1");
      python.dispose();
      return value;
    });
    assert.equal(value, 2);
    for (const file of files) assert.deepEqual(statuses(file), [200, 206], file);
  });
});

describe("a server that stalls", { timeout: 120_000 }, () => {
  it("is asked for the rest", async () => {
    const { name, file, size } = await take(LARGE);
    serve({ match: file, stall: size >> 1, ranges: true, times: 1 });
    const found = await load([name]);
    assert.equal(found.error, undefined);
    assert.ok(found.took > 0.9 * STALL && found.took < 10 * STALL, `${found.took} ms`);
    assert.deepEqual(statuses(file), [200, 206]);
  });

  it("is asked again if it does not answer at all", async () => {
    const { name, file } = await take(SMALL);
    serve({ match: file, hang: true, times: 2 });
    assert.equal((await load([name])).error, undefined);
    assert.equal(requests(file).length, 3);
  });

  it("fails with LOAD_NETWORK that says so in the end", async () => {
    serve({ match: /pandas-/, hang: true });
    const { error } = await load(["pandas"]);
    assert.equal(error.code, "LOAD_NETWORK");
    assert.match(error.message, /pandas-.*\.whl stopped: not a byte came for 0\.8 s/);
    assert.match(error.hint, /stallTimeoutMs/);
    assert.equal(requests(/pandas-/).length, 4);
  });

  it("is not what a slow one is", async () => {
    const { name, file, size } = await take(SMALL);
    serve({ match: file, bytesPerSecond: size / 2 });
    const found = await load([name]);
    assert.equal(found.error, undefined);
    assert.ok(found.took > 2 * STALL, `${found.took} ms`);
    assert.equal(requests(file).length, 1);
  });
});

describe("a server that sends something else", { timeout: 120_000 }, () => {
  it("is asked once more, past the browser's cache, which may have kept it", async () => {
    const { name, file, size } = await take(SMALL);
    serve({ match: file, corrupt: true, headers: { "Cache-Control": "public, max-age=31536000, immutable" } });
    await api.evaluate(async (url) => (await fetch(url)).arrayBuffer(), `/python/${file}`);
    assert.equal(requests(file).length, 1);
    serve();
    assert.equal((await load([name])).error, undefined);
    // What came first was what the cache had kept.
    assert.deepEqual(
      requests(file).map(({ status, bytes }) => [status, bytes]),
      [[200, size]],
    );
  });

  it("fails with INTEGRITY if it always does", async () => {
    serve({ match: /pandas-/, corrupt: true });
    const { error } = await load(["pandas"]);
    assert.equal(error.code, "INTEGRITY");
    assert.match(error.message, /pandas-.*\.whl is not what was expected: its SHA-256 is [0-9a-f]{64}/);
    assert.equal(requests(/pandas-/).length, 2);
  });

  it("does not keep Python from starting if it does so once", async () => {
    const files = ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"];
    for (const match of files) {
      serve({ match, corrupt: true, times: 1 });
      const value = await api.evaluate(async () => {
        const python = await start({ cache: "none" });
        const { value } = await python.run("1 + 1");
        python.dispose();
        return value;
      });
      assert.equal(value, 2);
      assert.equal(requests(match).length, 2, match);
    }
  });

  it("heals or fails if it promises more than it has, or less", async () => {
    for (const [change, code] of [
      [1000, "LOAD_NETWORK"],
      [-1000, "INTEGRITY"],
    ]) {
      const { name, file, size } = await take(SMALL);
      const lie = { match: file, headers: { "Content-Length": `${size + change}` } };
      serve(lie);
      const { error } = await load([name]);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(file), error.message);
      serve({ ...lie, times: 1 });
      assert.equal((await load([name])).error, undefined);
    }
  });
});

describe("a server that is busy", { timeout: 120_000 }, () => {
  it("is given the time that it asks for", async () => {
    for (const status of [429, 503]) {
      const [patient, soon] = [await take(SMALL), await take(SMALL)];
      serve({ match: patient.file, status, headers: { "Retry-After": "2" }, times: 1 });
      const waited = await load([patient.name]);
      assert.equal(waited.error, undefined);
      assert.ok(waited.took >= 1950 && waited.took < 8000, `${waited.took} ms`);
      serve({ match: soon.file, status, times: 1 });
      const found = await load([soon.name]);
      assert.equal(found.error, undefined);
      assert.ok(found.took < 1900, `${found.took} ms`);
    }
  });

  it("is asked four times in all", async () => {
    serve({ match: /pandas-/, status: 503 });
    const { error } = await load(["pandas"]);
    assert.deepEqual([error.code, requests(/pandas-/).length], ["LOAD_HTTP", 4]);
    assert.match(error.message, /status 503/);
  });

  it("does not keep a caller who gives up waiting", async () => {
    const { name, file } = await take(SMALL);
    serve({ match: file, status: 429, headers: { "Retry-After": "25" }, times: 1 });
    const found = await api.evaluate(async (name) => {
      const instance = await python({});
      const begin = performance.now();
      const error = await caught(instance.loadPackage(name, { signal: AbortSignal.timeout(600) }));
      const took = performance.now() - begin;
      return { error, took, again: await instance.loadPackage(name) };
    }, name);
    assert.equal(found.error.code, "ABORTED");
    assert.ok(found.took < 2500, `${found.took} ms`);
    assert.equal(found.again[0].name, name);
  });
});
