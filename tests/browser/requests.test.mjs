/** What a start asks the server for, and when. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  const folder = distributionFolder("0.28.3");
  const asked = { folder, immutable: false };
  api = await openApiPage({ roots: { "/kept/": { folder, immutable: true }, "/new/": asked, "/damaged/": asked } });
});
after(() => api?.close());

/** What was asked for while Python started in this way, and what its worker has got. */
async function visit(indexURL, options = {}) {
  api.server.log.length = 0;
  const value = await api.evaluate(
    async (options) => {
      globalThis.python = await start({ cache: "none", ...options });
      return (await python.run("6 * 7")).value;
    },
    { indexURL, ...options },
  );
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
  it("asks for all that it will need while its own module is still on the way, and once", async () => {
    const delay = 1500;
    api.server.hooks.push({ match: "taipan_web_bg.wasm", delay, ranges: true });
    try {
      // There is no such image: Python starts without it.
      const { asked } = await visit("/python/", { image: "/python/no.image" });
      const own = asked("taipan_web_bg.wasm")[0].time;
      for (const name of ["no.image", "pyodide.asm.wasm", "pyodide-lock.json"]) {
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

describe("a start from a kept image", { timeout: 300_000 }, () => {
  const NAME = "requests";
  const CORE = ["pyodide.asm.js", "pyodide.asm.wasm"];

  /** Starts from the image, and says how that went. */
  const restore = (indexURL) =>
    api.evaluate(
      async ({ indexURL, name }) => {
        globalThis.python = await start({ indexURL, image: { name } });
        const { value } = await python.run("answer");
        return { value, timings: python.timings };
      },
      { indexURL, name: NAME },
    );
  const asked = (name) => api.server.log.filter(({ path }) => path.endsWith(name)).length;

  before(async () => {
    await api.evaluate(async (name) => {
      globalThis.python = await start({ indexURL: "/kept/" });
      await python.run("import pandas; answer = 42");
      await python.bake({ name });
      python.dispose();
    }, NAME);
  });
  beforeEach(() => {
    api.server.log.length = 0;
  });
  afterEach(async () => {
    api.server.hooks.length = 0;
    await api.evaluate(() => python.dispose());
  });

  it("asks the server for nothing that the browser has", async () => {
    const { value, timings } = await restore("/kept/");
    assert.deepEqual([value, timings.image], [42, "name"]);
    assert.deepEqual(CORE.map(asked), [0, 0]);
  });

  it("asks for what the browser does not have, and then for no more of it", async () => {
    await restore("/new/");
    assert.deepEqual(CORE.map(asked), [1, 1]);
    await api.evaluate(() => python.dispose());
    // The server has to be asked each time whether it is still the same; the image knows.
    const { value, timings } = await restore("/new/");
    assert.deepEqual([value, timings.image], [42, "name"]);
    assert.deepEqual(CORE.map(asked), [1, 1]);
  });

  for (const file of CORE) {
    it(`goes on if ${file} is damaged on the way once`, async () => {
      api.server.hooks.push({ match: `/damaged/${file}`, corrupt: true, times: 1 });
      const { value, timings } = await restore("/damaged/");
      assert.deepEqual([value, timings.image], [42, "name"]);
    });
  }

  it("compiles beforehand what was called soon after the last one", async () => {
    const groupby = "pandas.DataFrame({'key': [1, 1], 'value': [2, 3]}).groupby('key')['value'].sum().to_list()";
    const visit = async (expected) => {
      const { timings } = await restore("/kept/");
      const { compiled, linked } = await api.evaluate(
        async ([code, expected]) => {
          // Nobody waits for it, neither does the start.
          for (let waited = 0; python.timings.modulesCompiled < expected && waited < 20; waited += 1) {
            await sleep(100);
            await python.run("1");
          }
          const compiled = python.timings.modulesCompiled;
          await python.run(code);
          return { compiled, linked: python.timings.modulesLinked };
        },
        [groupby, expected],
      );
      return { compiled, called: linked - timings.modulesLinked };
    };
    const first = await visit(0);
    assert.ok(first.called > 0, "no side module is linked when it is called");
    // It is noted when the first work is done.
    for (let attempt = 1; ; attempt += 1) {
      await api.evaluate(() => sleep(2000));
      await api.evaluate(() => python.dispose());
      const expected = first.compiled + first.called;
      const next = await visit(expected);
      if (next.compiled >= expected) break;
      assert.ok(attempt < 4, `compiled: ${next.compiled}, at first ${first.compiled}, called ${first.called}`);
    }
  });
});
