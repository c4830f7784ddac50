/** Downloads from a server that stalls, cuts, lies, is busy, or sends something else. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

const FOLDER = distributionFolder("0.28.3");
/** The same folder under other names. */
const MIRRORS = ["/first/", "/second/"];
/** Milliseconds without a byte that are too many in these tests. */
const STALL = 800;
/** Packages that need no other, of more than 150 KB and of less. Each test uses up some. */
const LARGE = [
  "numpy",
  "libopenblas",
  "fonttools",
  "pillow",
  "libopenssl",
  "pytz",
  "mpmath",
  "regex",
  "joblib",
  "jiter",
];
const SMALL = [
  "six",
  "sniffio",
  "annotated-types",
  "threadpoolctl",
  "platformdirs",
  "distro",
  "soupsieve",
  "kiwisolver",
];
SMALL.push("typing-extensions", "charset-normalizer", "idna", "packaging", "click", "pyparsing", "micropip", "urllib3");

let api;
let lock;
before(async () => {
  lock = JSON.parse(await readFile(join(FOLDER, "pyodide-lock.json"), "utf8"));
  const mirrors = MIRRORS.map((path) => [path, { folder: FOLDER, immutable: false }]);
  api = await openApiPage({ roots: Object.fromEntries(mirrors) });
  await api.evaluate((stallTimeoutMs) => {
    const pythons = {};
    /** Python that the tests share which want the same of it. */
    globalThis.python = (options) => {
      pythons[JSON.stringify(options)] ??= start({ cache: "none", stallTimeoutMs, ...options, onProgress: note });
      return pythons[JSON.stringify(options)];
    };
    globalThis.progress = [];
    const note = (one) => progress.push(one);
  }, STALL);
});
afterEach(() => {
  api.server.hooks.length = 0;
  api.server.log.length = 0;
});
after(() => api?.close());

/** A package that has not been loaded, and its file. */
async function take(pool) {
  const name = pool.shift();
  const file = lock.packages[name].file_name;
  return { name, file, size: (await stat(join(FOLDER, file))).size };
}

/**
 * Cuts once after so many bytes. They come slowly enough to be taken before the connection breaks: the browser drops what
 * has not been read when it does.
 */
const cut = (match, truncate) => ({ match, truncate, bytesPerSecond: 4 * truncate, ranges: true, times: 1 });

/** The server does so from now on, and no cache of the browser's answers in its place. */
function serve(...hooks) {
  const uncached = (hook) =>
    hook.ranges ? { ...hook, headers: { "Cache-Control": "no-store", ...hook.headers } } : hook;
  const rest = { match: /\/(python|first|second)\//, ranges: true };
  api.server.hooks.splice(0, Number.POSITIVE_INFINITY, ...[...hooks, rest].map(uncached));
  api.server.log.length = 0;
}

/** Loads packages. Resolves with how long that took, what it failed with, and what was reported meanwhile. */
const load = (names, options = {}) =>
  api.evaluate(
    async ({ names, options }) => {
      const instance = await python(options);
      progress.length = 0;
      const begin = performance.now();
      const { resolved, ...error } = await caught(instance.loadPackage(names));
      return { error: resolved ? undefined : error, took: performance.now() - begin, progress: [...progress] };
    },
    { names, options },
  );

const requests = (pattern) => api.server.log.filter(({ path }) => path.match(pattern));
const statuses = (pattern) => requests(pattern).map(({ status }) => status);
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

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

describe("mirrors", { timeout: 180_000 }, () => {
  const options = { packageBaseUrl: MIRRORS };
  const where = (pattern) => requests(pattern).map(({ path }) => path.split("/")[1]);
  const atFirst = (file, hook) => ({ ...hook, match: (path) => path === `/first/${file}` });

  const failures = {
    "does not have a file": { status: 404 },
    "is broken": { status: 500 },
    "refuses connections": { refuse: true },
    "does not answer": { hang: true },
    "sends wrong bytes": { corrupt: true },
    "sends a page": { body: "<!doctype html>", headers: { "Content-Type": "text/html" } },
  };
  for (const [index, [what, hook]] of Object.entries(failures).entries()) {
    it(`take the place of one that ${what}`, async () => {
      const { name, file } = await take(["six", "click", "idna", "packaging", "certifi", "pytz"].slice(index));
      serve(atFirst(file, hook));
      const found = await load([name], options);
      assert.equal(found.error, undefined);
      // The browser itself asks again where a connection is closed that it had used before.
      const asked = what === "refuses connections" ? [...new Set(where(file))] : where(file);
      assert.deepEqual(asked, ["first", "second"]);
    });
  }

  it("are each named with what they answered, if none helps", async () => {
    const { file } = await take(["regex"]);
    serve(atFirst(file, { status: 404 }), { match: file, corrupt: true });
    const { error } = await load(["regex"], options);
    assert.equal(error.code, "LOAD_HTTP");
    assert.match(
      error.message,
      /\/first\/regex\S* answered with status 404.*\/second\/regex\S* is not what was expected/,
    );
    // Wrong bytes are asked for once more past the cache.
    assert.deepEqual(where(file), ["first", "second", "second"]);
  });

  it("are asked by an import statement too, which tries again as well", async () => {
    const { file } = await take(["sniffio"]);
    serve(
      atFirst(file, { status: 404 }),
      { match: file, status: 503, times: 1 },
      { match: file, corrupt: true, times: 1 },
    );
    const { value } = await api.evaluate(
      async (options) => (await python(options)).run("__import__('sni' + 'ffio').__name__"),
      options,
    );
    assert.equal(value, "sniffio");
    assert.deepEqual(where(file), ["first", "second", "second", "second"]);
  });

  it("give an import statement an error that names each", async () => {
    serve({ match: /regex-/, status: 404 });
    const error = await api.evaluate(
      async (options) => caught((await python(options)).run("__import__('reg' + 'ex')")),
      options,
    );
    assert.equal(error.code, "PYTHON");
    assert.match(
      error.message,
      /\/first\/regex\S* answered with status 404.*\/second\/regex\S* answered with status 404/,
    );
  });
});

describe("many downloads", { timeout: 120_000 }, () => {
  const NAMES = ["certifi", "click", "idna", "joblib", "packaging", "platformdirs", "pytz", "regex", "six", "sniffio"];

  /** How many of the wheels were on their way at once, at most. */
  function together() {
    const spans = requests(/\.whl$/);
    return Math.max(...spans.map(({ time }) => spans.filter((one) => one.time <= time && time < one.until).length));
  }

  it("run six at a time, on however many servers", async () => {
    const elsewhere = structuredClone(lock);
    const hosts = [`http://127.0.0.1:${api.server.port}/python/`, `${api.server.url}/python/`];
    // The browser itself opens six connections to one host.
    for (const [index, name] of NAMES.entries()) {
      elsewhere.packages[name].file_name = hosts[index % 2] + lock.packages[name].file_name;
    }
    serve({ match: /\.whl$/, delay: 400, ranges: true });
    assert.equal((await load(NAMES, { lockFileContents: elsewhere })).error, undefined);
    assert.equal(requests(/\.whl$/).length, NAMES.length);
    assert.equal(together(), 6);
  });

  it("give their places back when they are given up, and are added up", async () => {
    serve({ match: /\.whl$/, hang: true, times: 6 }, { match: /regex-/, truncate: 90_000, times: 1 });
    const { code, loaded, sums } = await api.evaluate(async (names) => {
      const instance = await python({ env: { A: "1" } });
      const { code } = await caught(instance.loadPackage(names, { signal: AbortSignal.timeout(500) }));
      progress.length = 0;
      const { length } = await instance.loadPackage(names);
      const sums = progress.filter(({ stage }) => stage === "download").map(({ overall }) => overall);
      return { code, loaded: length, sums };
    }, NAMES);
    assert.deepEqual([code, loaded], ["ABORTED", NAMES.length]);
    for (const [index, { loaded, total }] of sums.entries()) {
      assert.ok(index === 0 || loaded >= sums[index - 1].loaded, `${loaded} after ${sums[index - 1]?.loaded}`);
      assert.ok(total === undefined || loaded <= total, `${loaded} of ${total}`);
    }
    const { loaded: done, total } = sums.at(-1);
    assert.equal(done, total);
    const sizes = NAMES.map(async (name) => (await stat(join(FOLDER, lock.packages[name].file_name))).size);
    assert.ok(done > sum(await Promise.all(sizes)), "all of it, after what the distribution itself brought");
  });
});
