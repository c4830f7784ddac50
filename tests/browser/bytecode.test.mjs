/** Bytecode from one start to the next: nothing is compiled twice, nothing stale is run. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

/** The keys of what is kept, without the part that they share. */
const keptKeys = async () => {
  const cache = await caches.open("taipan-1");
  return (await cache.keys()).map(({ url }) => new URL(url).pathname);
};

describe("bytecode", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.evaluate(`globalThis.keptKeys = ${keptKeys}`);
  });
  after(() => api?.close());

  it("of the standard library comes with the package, and is run on the first visit", async () => {
    const value = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      const { value } = await python.run(`
import sys, numpy, pandas, traceback, json
import _taipan.bytecode
library = traceback.__file__.rpartition("/")[0]
others = (f"{library}/site-packages/", f"{library}/_taipan/")
[path for path in _taipan.bytecode._fresh if not path.startswith(others)], traceback.__spec__.cached`);
      python.dispose();
      return value;
    });
    const [compiled, cached] = value;
    assert.deepEqual(compiled, [], "add what is missing to COMMON in scripts/build/bytecode.py");
    assert.match(cached, /__pycache__\/traceback\.cpython-313\.pyc$/);
  });

  for (const [what, fault] of Object.entries({ missing: { status: 404 }, damaged: { corrupt: true } })) {
    it(`of the package that is ${what} costs nothing but time`, async () => {
      api.server.hooks.push({ match: /bytecode\/0\.28\.3\.zip$/, ...fault });
      const value = await api.evaluate(async () => {
        const python = await start({ cache: "none" });
        const { value } = await python.run("import _taipan.bytecode; len(_taipan.bytecode._fresh)");
        python.dispose();
        return value;
      });
      api.server.hooks.length = 0;
      assert.ok(value > 100, `${value} modules were compiled`);
    });
  }

  it("is kept when nothing is going on, per archive", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run("import six, bs4");
      for (let waited = 0; waited < 60 && (await keptKeys()).length < 4; waited += 1) await sleep(500);
      const { value } = await python.run(
        "import sys; len([m for m in sys.modules.values() if hasattr(m, '__file__')])",
      );
      python.dispose();
      return { keys: await keptKeys(), modules: value };
    });
    assert.ok(found.modules > 150);
    assert.ok(found.keys.length >= 4, "the standard library, six, beautifulsoup4, soupsieve");
    assert.ok(found.keys.every((key) => /^\/bytecode\/2025_0\/[0-9a-f]{64}$/.test(key)));
  });

  it("is used by the next start, which inflates next to nothing", async () => {
    const inflated = await api.evaluate(async () => {
      const python = await start();
      await python.run("import six, bs4");
      const { value } = await python.run("import bs4; bs4.__spec__.cached");
      python.dispose();
      return { inflated: python.timings.filesInflated, cached: value };
    });
    assert.match(inflated.cached, /__pycache__/);
    assert.ok(inflated.inflated < 10, `${inflated.inflated} files were inflated`);
  });

  it("is not run for a source that has been changed", async () => {
    const value = await api.evaluate(async () => {
      const python = await start();
      await python.loadPackage("six");
      const site = (await python.run("[p for p in __import__('sys').path if p.endswith('site-packages')][0]")).value;
      await python.fs.writeFile(`${site}/six.py`, "__version__ = 'mine'\n");
      const result = await python.run("import six; six.__version__");
      python.dispose();
      return result.value;
    });
    assert.equal(value, "mine");
  });

  it("is not believed when it has been tampered with", async () => {
    const version = await api.evaluate(async () => {
      const cache = await caches.open("taipan-1");
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        const bytes = new Uint8Array(await response.arrayBuffer());
        bytes.fill(0x55, bytes.length >> 1);
        await cache.put(request, new Response(bytes, { headers: response.headers }));
      }
      const python = await start();
      const { value } = await python.run("import six; six.__version__");
      python.dispose();
      return value;
    });
    assert.equal(version, "1.17.0");
  });

  it("is not kept where nobody wants it", async () => {
    const keys = await api.evaluate(async () => {
      await caches.delete("taipan-1");
      const python = await start({ cache: "none" });
      await python.run("import six");
      await sleep(3000);
      python.dispose();
      return await keptKeys();
    });
    assert.deepEqual(keys, []);
  });
});
