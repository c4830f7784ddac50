/** Bytecode from one start to the next: nothing is compiled twice, nothing stale is run. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

/** The names of what is kept. */
const keptKeys = async () => Object.keys((await readIndex()).names).filter((name) => name.startsWith("bytecode/"));

describe("bytecode", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.evaluate(KEPT_FUNCTIONS);
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
    const read = (name) => readFile(join(distributionFolder("0.28.3"), name));
    const { packages } = JSON.parse(await read("pyodide-lock.json"));
    const library = createHash("sha256").update(await read("python_stdlib.zip"));
    const archives = ["six", "beautifulsoup4", "soupsieve"].map((name) => packages[name].sha256);
    archives.push(library.digest("hex"));
    const found = await api.evaluate(async (archives) => {
      const python = await start();
      await python.run("import six, bs4; bs4.__name__");
      const isKept = (keys) => keys.length > archives.length && archives.every((hash) => keys.join().includes(hash));
      for (let waited = 0; waited < 60 && !isKept(await keptKeys()); waited += 1) await sleep(500);
      const { value } = await python.run(
        "import sys; len([m for m in sys.modules.values() if hasattr(m, '__file__')])",
      );
      python.dispose();
      return { keys: await keptKeys(), modules: value };
    }, archives);
    assert.ok(found.modules > 150);
    for (const hash of archives) assert.ok(found.keys.join().includes(hash), hash);
    assert.ok(found.keys.length > archives.length, "our own files");
    assert.ok(found.keys.every((key) => /^bytecode\/2025_0\/[0-9a-f]{64}$/.test(key)));
  });

  it("is used by the next start, which inflates next to nothing", async () => {
    const inflated = await api.evaluate(async () => {
      const python = await start();
      await python.run("import six, bs4");
      const { value } = await python.run("import bs4; bs4.__spec__.cached");
      const own = await python.run(
        "from _taipan import bytecode; [path for path in bytecode._fresh if '_taipan' in path]",
      );
      python.dispose();
      return { inflated: python.timings.filesInflated, cached: value, own: own.value };
    });
    assert.match(inflated.cached, /__pycache__/);
    assert.deepEqual(inflated.own, [], "our own files were compiled again");
    assert.ok(inflated.inflated < 10, `${inflated.inflated} files were inflated`);
  });

  describe("of what an image does not hold", () => {
    /** Starts from the image of `globalThis.image`, waits until nothing goes on, and says which modules it then compiles. */
    const compiledIdle = async (...modules) => {
      const python = await start({ image: globalThis.image });
      await sleep(3500);
      const program = `
import importlib, _taipan.bytecode
found = [importlib.import_module(name).__spec__.origin for name in ${JSON.stringify(modules)}]
[name in _taipan.bytecode._fresh for name in found]`;
      const { value } = await python.run(program);
      const { imageRefused, filesInflated } = python.timings;
      return { python, imageRefused, filesInflated, value };
    };
    let hash;
    before(async () => {
      const lock = await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8");
      hash = JSON.parse(lock).packages.beautifulsoup4.sha256;
      await api.page.evaluate(`globalThis.compiledIdle = ${compiledIdle}`);
      await api.evaluate(async () => {
        const baker = await start();
        await baker.run("import bs4");
        globalThis.image = URL.createObjectURL(await baker.bake());
        await baker.store.clear();
        baker.dispose();
      });
    });

    it("is run once the interpreter has been idle; nothing that the image holds is compiled", async () => {
      const found = await api.evaluate(async (hash) => {
        const first = await start();
        await first.run("import bs4.diagnose");
        for (let waited = 0; waited < 60 && !(await keptKeys()).join().includes(hash); waited += 1) await sleep(500);
        first.dispose();
        const { python, ...found } = await compiledIdle("bs4.diagnose");
        python.dispose();
        return found;
      }, hash);
      assert.deepEqual({ ...found, filesInflated: 0 }, { imageRefused: undefined, filesInflated: 0, value: [false] });
      assert.ok(found.filesInflated < 20, `${found.filesInflated} files were inflated`);
    });

    it("is kept, together with what comes with the package", async () => {
      const found = await api.evaluate(async () => {
        const other = await start();
        await other.store.clear();
        other.dispose();
        const { python: first, value } = await compiledIdle("colorsys");
        for (let waited = 0; waited < 60 && (await keptKeys()).length === 0; waited += 1) await sleep(500);
        first.dispose();
        const second = await compiledIdle("colorsys", "shlex");
        second.python.dispose();
        const cold = await start();
        const { value: compiled } = await cold.run(`
import _taipan.bytecode
[path for path in _taipan.bytecode._fresh if "site-packages" not in path and "_taipan" not in path]`);
        cold.dispose();
        return { first: value, second: second.value, compiled };
      });
      assert.deepEqual([found.first, found.second], [[true], [false, false]]);
      assert.deepEqual(found.compiled, []);
    });
  });

  it("is not made again of what an image has imported", async () => {
    const compiled = await api.evaluate(async () => {
      const name = "bytecode";
      const before = await start();
      await before.run("import json");
      await before.bake({ name });
      before.dispose();
      const python = await start({ image: { name } });
      await python.run(`
import _taipan.bytecode as bytecode
compiled, compile_and_remember = [], bytecode._compile
def watched(loader, data, path, **options):
    compiled.append(path)
    return compile_and_remember(loader, data, path, **options)
bytecode._compile = watched`);
      // For longer than it takes until nothing is going on.
      await sleep(4000);
      const { value } = await python.run("compiled");
      const { image } = python.timings;
      python.dispose();
      return { value, image };
    });
    assert.deepEqual(compiled, { value: [], image: "name" });
  });

  it("is kept for a wheel that is loaded by its address", async () => {
    const cached = await api.evaluate(async () => {
      const before = (await keptKeys()).length;
      const visit = async () => {
        const python = await start();
        await python.loadPackage("/python/sniffio-1.3.1-py3-none-any.whl");
        const { value } = await python.run("import os, sniffio; os.path.exists(sniffio.__spec__.cached)");
        for (let waited = 0; waited < 40 && (await keptKeys()).length === before; waited += 1) await sleep(500);
        python.dispose();
        return value;
      };
      return [await visit(), await visit()];
    });
    assert.deepEqual(cached, [false, true]);
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
      for await (const handle of (await keptContent()).values()) {
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        bytes.fill(0x55, bytes.length >> 1);
        const file = await handle.createWritable();
        await file.write(bytes);
        await file.close();
      }
      const python = await start();
      const { value } = await python.run("import six; six.__version__");
      python.dispose();
      return value;
    });
    assert.equal(version, "1.17.0");
  });

  it("is not kept where nobody wants it", async () => {
    const folders = await api.evaluate(async () => {
      const origin = await navigator.storage.getDirectory();
      await origin.removeEntry("taipan-store", { recursive: true });
      const python = await start({ cache: "none" });
      await python.run("import six");
      await sleep(3000);
      python.dispose();
      return await Array.fromAsync(origin.keys());
    });
    assert.deepEqual(folders, []);
  });
});
