/** Downloads from several servers, and many at once. */
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { api, FOLDER, load, lock, MIRRORS, requests, serve, sum, take, usePage } from "./support/network.mjs";

usePage();

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
