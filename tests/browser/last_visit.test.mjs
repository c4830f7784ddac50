/** A start that gets ready what the last visit loaded, while CPython starts. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

const lock = JSON.parse(await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8"));

/** In the page: runs code in a Python of its own, until its note is what it is to be; how many modules it has compiled. */
const visit = async ([code, names]) => {
  const python = await start();
  await python.run(code);
  const note = async () => {
    const index = await readIndex();
    const name = Object.keys(index.names).find((name) => name.startsWith("last-visit/"));
    return name && new TextDecoder().decode(await readContent(index.names[name]));
  };
  for (let waited = 0; (await note().catch(() => {})) !== names.join("\n"); waited += 1) {
    if (waited === 150) throw new Error(`The note is ${await note()}`);
    await sleep(200);
  }
  python.dispose();
  return python.timings.modulesCompiled;
};

/** In the page: what a start has done when it has compiled some modules, and what an import adds to that. */
const observe = async ([code, compiled]) => {
  const python = await start();
  let value;
  for (let waited = 0; waited < 100; waited += 1) {
    await sleep(200);
    ({ value } = await python.run("import sys; 'numpy' in sys.modules"));
    if (python.timings.modulesCompiled >= compiled && waited > 5) break;
  }
  const before = { ...python.timings };
  const loaded = (await python.loadedPackages()).map(({ name }) => name);
  const result = await python.run(code);
  const { modulesCompiled, modulesLinked } = python.timings;
  python.dispose();
  return {
    imported: value,
    loaded,
    before: { compiled: before.modulesCompiled, linked: before.modulesLinked },
    after: { compiled: modulesCompiled, linked: modulesLinked },
    value: result.value,
  };
};

describe("what the last visit loaded", { timeout: 120_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.evaluate(KEPT_FUNCTIONS);
  });
  after(() => api?.close());
  beforeEach(() => {
    api.server.log.length = 0;
  });
  const asked = () => api.server.log.map(({ path }) => path).filter((path) => path.endsWith(".whl"));

  it("is compiled while CPython starts, and on no path before it is asked for", async () => {
    const compiled = await api.evaluate(visit, ["import numpy", ["numpy"]]);
    api.server.log.length = 0;
    const found = await api.evaluate(observe, ["import numpy; int(numpy.arange(4).sum())", 11]);
    assert.equal(found.value, 6);
    assert.deepEqual({ imported: found.imported, loaded: found.loaded }, { imported: false, loaded: [] });
    assert.ok(found.before.compiled > 10, `${found.before.compiled} modules are compiled`);
    assert.equal(found.before.linked, 0);
    // Each once.
    assert.equal(found.after.compiled, compiled);
    assert.ok(found.after.linked > 0);
    assert.deepEqual(asked(), []);
  });

  it("is what the last one loaded, not the one before", async () => {
    await api.evaluate(visit, ["import six", ["six"]]);
    const found = await api.evaluate(observe, ["import six; six.PY3", 0]);
    assert.equal(found.value, true);
    assert.equal(found.before.compiled, 0);
  });

  it("is not downloaded if it is not kept any more, until it is asked for", async () => {
    await api.evaluate(visit, ["import numpy", ["numpy"]]);
    api.server.log.length = 0;
    await api.evaluate(async (hash) => {
      await (await keptContent()).removeEntry(hash);
      globalThis.python = await start();
      await sleep(1500);
    }, lock.packages.numpy.sha256);
    assert.deepEqual(asked(), []);
    const value = await api.evaluate(async () => {
      const { value } = await python.run("import numpy; int(numpy.arange(4).sum())");
      python.dispose();
      return value;
    });
    assert.equal(value, 6);
    assert.equal(asked().length, 1);
  });
});
