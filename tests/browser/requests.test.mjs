/** What a start asks the server for, and when. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  api = await openApiPage({ roots: { "/kept/": { folder: distributionFolder("0.28.3"), immutable: true } } });
});
after(() => api?.close());

/** What was asked for while Python started in this way, and what its worker has got. */
async function visit(indexURL) {
  api.server.log.length = 0;
  const value = await api.evaluate(async (indexURL) => {
    globalThis.python = await start({ indexURL, cache: "none" });
    return (await python.run("6 * 7")).value;
  }, indexURL);
  assert.equal(value, 42);
  const worker = api.page.workers().at(-1);
  const resources = await worker.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  await api.evaluate(() => python.dispose());
  const named =
    (name) =>
    ({ path }) =>
      path.endsWith(name);
  return {
    asked: (name) => api.server.log.filter(named(name)),
    got: (name) => resources.filter((path) => path.endsWith(name)).length,
  };
}

describe("a start", { timeout: 120_000 }, () => {
  it("asks for CPython's module and the lock file while its own module is still on the way, and once", async () => {
    const delay = 1500;
    api.server.hooks.push({ match: "taipan_web_bg.wasm", delay, ranges: true });
    try {
      const { asked } = await visit("/python/");
      const own = asked("taipan_web_bg.wasm")[0].time;
      for (const name of ["pyodide.asm.wasm", "pyodide-lock.json"]) {
        const times = asked(name).map(({ time }) => time);
        assert.equal(times.length, 1, name);
        assert.ok(times[0] - own < delay, `${name} was asked for ${times[0] - own} ms after`);
      }
    } finally {
      api.server.hooks.length = 0;
    }
  });

  it("evaluates the glue from its address where the browser keeps that", async () => {
    const { got } = await visit("/kept/");
    assert.equal(got("pyodide.asm.js"), 2);
  });

  it("evaluates the bytes that have been checked where the address may give others", async () => {
    const { asked, got } = await visit("/python/");
    assert.equal(got("pyodide.asm.js"), 1);
    assert.equal(asked("pyodide.asm.js").length, 1);
  });
});
