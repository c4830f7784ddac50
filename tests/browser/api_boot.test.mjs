/** The API with the real distribution: starts that fail. None may hang. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  api = await openApiPage();
});
afterEach(() => {
  api.server.hooks.length = 0;
});
after(() => api?.close());

/** What a start rejects with while the server does as `hook` says. */
async function startFails(hook, options = {}) {
  if (hook) api.server.hooks.push(hook);
  return api.evaluate(
    (options) => Promise.race([caught(start(options)), sleep(60_000).then(() => ({ code: "it hangs" }))]),
    options,
  );
}

const FILES = ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];

describe("a start fails", { timeout: 300_000 }, () => {
  for (const file of FILES) {
    it(`with LOAD_HTTP if the server has no ${file}`, async () => {
      const error = await startFails({ match: file, status: 404 });
      assert.deepEqual([error.name, error.code], ["LoadError", "LOAD_HTTP"]);
      assert.ok(error.message.includes(file), error.message);
    });

    it(`with LOAD_NETWORK if the connection for ${file} is refused`, async () => {
      const error = await startFails({ match: file, refuse: true });
      assert.equal(error.code, "LOAD_NETWORK");
      assert.ok(error.message.includes(file), error.message);
    });

    it(`if ${file} is an HTML page`, async () => {
      const error = await startFails({
        match: file,
        body: "<!doctype html><title>Sign in</title>",
        headers: { "Content-Type": "text/html" },
      });
      assert.ok(error.ours, JSON.stringify(error));
      assert.match(error.code, /^(INTEGRITY|LOAD_HTTP|BAD_WASM|BAD_ARCHIVE|BAD_LOCK_FILE)$/);
    });

    it(`if ${file} ends early`, async () => {
      const error = await startFails({ match: file, shorten: 1000 });
      assert.ok(error.ours, JSON.stringify(error));
      assert.match(error.code, /^(INTEGRITY|BAD_WASM|BAD_ARCHIVE|BAD_LOCK_FILE)$/);
    });
  }

  for (const file of FILES.slice(0, 3)) {
    it(`if one byte of ${file} is wrong`, async () => {
      const error = await startFails({ match: file, corrupt: true });
      assert.ok(error.ours, JSON.stringify(error));
      assert.match(error.code, /^(INTEGRITY|BAD_WASM|BAD_ARCHIVE)$/);
    });
  }

  it("with PACKAGE_NOT_FOUND for a package that nobody has", async () => {
    const error = await startFails(undefined, { packages: ["nunpy"] });
    assert.deepEqual([error.name, error.code], ["PackageNotFoundError", "PACKAGE_NOT_FOUND"]);
    assert.ok(error.suggestions.includes("numpy"));
  });

  it("with BAD_LOCK_FILE for a lock file that is none", async () => {
    assert.equal((await startFails(undefined, { lockFileContents: "{}" })).code, "BAD_LOCK_FILE");
    assert.equal((await startFails(undefined, { lockFileContents: "no JSON" })).code, "BAD_LOCK_FILE");
  });

  it("with BAD_LOCK_FILE, and what to do, for a folder that another release has prepared", async () => {
    const lock = JSON.parse(await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8"));
    const { sha256 } = lock.packages.numpy;
    const earlier = { path: "numpy/a.so", file_name: "modules/a.so", size: 1, sha256 };
    lock.taipan = { files: {}, side_modules: { [sha256]: [earlier] } };
    const error = await startFails(undefined, { lockFileContents: JSON.stringify(lock) });
    assert.equal(error.code, "BAD_LOCK_FILE");
    assert.match(error.hint, /npx taipan prepare/);
  });

  it("with LOAD_HTTP if the worker's wasm module is not there", async () => {
    const error = await startFails({ match: "taipan_web_bg.wasm", status: 404 });
    assert.deepEqual([error.name, error.code], ["LoadError", "LOAD_HTTP"]);
  });

  it("with WORKER if the script that the worker imports is not there", async () => {
    const error = await startFails({ match: "/taipan/wasm/engine.js", status: 404 });
    assert.equal(error.code, "WORKER");
    assert.match(error.message, /did not load.*engine\.js/);
    assert.match(error.hint, /wasm folder/);
  });

  it("with WORKER if the worker's script is not there, or throws", async () => {
    const missing = await startFails({ match: "/taipan/worker.js", status: 404 });
    assert.equal(missing.code, "WORKER");
    assert.match(missing.hint, /worker\.js/);
    const throwing = await api.evaluate(() => {
      const url = URL.createObjectURL(new Blob(["throw new Error('broken')"], { type: "text/javascript" }));
      return caught(start({ worker: () => new Worker(url, { type: "module" }) }));
    });
    assert.equal(throwing.code, "WORKER");
    assert.match(throwing.message, /broken/);
    const refused = await api.evaluate(() => caught(start({ worker: () => undefined })));
    assert.equal(refused.code, "WORKER");
  });
});

it("a wasm module that its server does not call one is fetched once, and Python starts", {
  timeout: 60_000,
}, async () => {
  await api.visit();
  const headers = { "Content-Type": "application/octet-stream" };
  api.server.hooks.push({ match: "taipan_web_bg.wasm", headers });
  api.server.log.length = 0;
  assert.equal(await api.evaluate(async () => (await (await start()).run("1 + 1")).value), 2);
  const asked = api.server.log.filter(({ path }) => path.endsWith("taipan_web_bg.wasm"));
  assert.equal(asked.length, 1);
});

describe("a start is given up", { timeout: 120_000 }, () => {
  for (const file of ["pyodide.asm.wasm", "taipan_web_bg.wasm"]) {
    it(`by its signal while ${file} does not come`, async () => {
      api.server.hooks.push({ match: file, hang: true });
      const found = await api.evaluate(async () => {
        const begin = performance.now();
        const error = await caught(start({ signal: AbortSignal.timeout(500) }));
        return { error, took: performance.now() - begin };
      });
      assert.equal(found.error.code, "ABORTED");
      assert.ok(found.took < 3000, `${found.took} ms`);
    });
  }

  it("at any moment, and then another start works", async () => {
    const found = await api.evaluate(async () => {
      const codes = [];
      for (const ms of [1, 50, 150, 400, 800]) {
        const controller = new AbortController();
        const starting = caught(start({ signal: controller.signal }));
        await sleep(ms);
        controller.abort();
        const error = await starting;
        codes.push(error.code ?? "started");
        error.resolved?.dispose?.();
      }
      const python = await start();
      const { value } = await python.run("1;");
      python.dispose();
      return { codes, value };
    });
    assert.ok(
      found.codes.every((code) => code === "ABORTED" || code === "started"),
      `${found.codes}`,
    );
    assert.equal(found.codes[0], "ABORTED");
    assert.equal(found.value, 1);
  });
});

describe("a worker that breaks", { timeout: 120_000 }, () => {
  it("rejects what is pending and all later calls, until restart()", async () => {
    const found = await api.evaluate(async () => {
      let worker;
      let broken = false;
      const spawn = () => {
        worker = new Worker(new URL("/taipan/worker.js", location.href), { type: "module" });
        return worker;
      };
      const python = await start({ worker: spawn });
      const pending = caught(python.run("import asyncio\nawait asyncio.sleep(60)"));
      await sleep(100);
      broken = worker.dispatchEvent(Object.assign(new ErrorEvent("error", { message: "broken" })));
      const later = await caught(python.memory());
      await python.restart();
      const { value } = await python.run("4;");
      python.dispose();
      return { broken, pending: await pending, later, value };
    });
    assert.equal(found.broken, true);
    assert.equal(found.pending.code, "WORKER");
    assert.equal(found.later.code, "WORKER");
    assert.equal(found.value, 4);
  });

  it("is FATAL after a trap in Python's own code, and restart() helps", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const pending = caught(python.run("import ctypes\nctypes.string_at(0xfffffff0, 1024)"));
      const error = await pending;
      const later = await caught(python.run("1"));
      await python.restart();
      const { value } = await python.run("5;");
      python.dispose();
      return { error, later, value };
    });
    assert.deepEqual([found.error.name, found.error.code], ["FatalError", "FATAL"]);
    assert.equal(found.later.code, "FATAL");
    assert.equal(found.value, 5);
  });

  it("is FATAL when code that has awaited leaves the interpreter", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const run = caught(python.run("import asyncio, os\nawait asyncio.sleep(0)\nos._exit(3)"));
      const error = await Promise.race([run, sleep(60_000).then(() => ({ code: "it hangs" }))]);
      await python.restart();
      const { value } = await python.run("5;");
      python.dispose();
      return { error, value };
    });
    assert.equal(found.error.code, "FATAL");
    assert.match(found.error.hint, /restart\(\)/);
    assert.equal(found.value, 5);
  });
});

describe("another distribution", { timeout: 120_000 }, () => {
  it("starts with the same code: Pyodide 314.0.7, with a wheel for its platform", async () => {
    const other = await openApiPage({ version: "314.0.7" });
    try {
      const found = await other.evaluate(async () => {
        const python = await start();
        await python.loadPackage("/python/msgpack-1.2.4-cp314-cp314-pyemscripten_2026_0_wasm32.whl");
        const code = "import msgpack, sys\nprint(sys.version_info[:2])\nmsgpack.unpackb(msgpack.packb([1, 'a']));";
        const { value, outputs } = await python.run(code);
        const error = await caught(python.run("while True: pass", { timeoutMs: 200 }));
        const { version, pythonVersion } = python;
        python.dispose();
        return { value, outputs, error, version, pythonVersion };
      });
      assert.deepEqual([found.version, found.pythonVersion], ["314.0.7", "3.14.2"]);
      assert.deepEqual(found.value, [1, "a"]);
      assert.deepEqual(found.outputs, [{ type: "stdout", text: "(3, 14)\n" }]);
      assert.equal(found.error.code, "TIMEOUT");
    } finally {
      await other.close();
    }
  });
});

describe("the package from another origin", { timeout: 120_000 }, () => {
  it("starts its worker through a blob", async () => {
    const other = await openApiPage();
    try {
      const value = await api.evaluate(async (origin) => {
        const { loadPython } = await import(`${origin}/taipan/index.js`);
        const python = await loadPython({ indexURL: "/python/" });
        const { value } = await python.run("6;");
        python.dispose();
        return value;
      }, other.server.url);
      assert.equal(value, 6);
    } finally {
      await other.close();
    }
  });
});
