/** What taipan/pyodide does beyond stock Pyodide: imports that bring packages, typed errors, bytecode that is kept. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPyodidePage } from "./support/pyodide-page.mjs";

describe("taipan/pyodide", { timeout: 300_000 }, () => {
  let browser;
  let page;
  before(async () => {
    browser = await openPyodidePage("0.28.3");
    page = await browser.open();
    await page.evaluate(async () => {
      const taipan = await import("/taipan/pyodide.js");
      Object.assign(globalThis, {
        taipan,
        boot: (options) => taipan.loadPyodide({ indexURL: "/python/", ...options }),
        caught: async (promise) => {
          try {
            return { resolved: String(await promise) };
          } catch (error) {
            return { ...error, name: error.name, message: error.message, ours: taipan.isTaipanError(error) };
          }
        },
      });
    });
  });
  after(() => browser?.close());

  it("an import on the page's own thread brings its package where the stack can be suspended", async () => {
    const found = await page.evaluate(async () => {
      const pyodide = await boot();
      const before = await caught(Promise.resolve().then(() => pyodide.runPython("import numpy")));
      const sum = await pyodide.runPythonAsync("def f():\n  import numpy\n  return int(numpy.arange(4).sum())\nf()");
      return { before, sum, after: pyodide.runPython("import numpy; numpy.__name__"), loaded: pyodide.loadedPackages };
    });
    assert.equal(found.before.type, "ModuleNotFoundError");
    assert.match(found.before.message, /pyodide\.loadPackage\("numpy"\)/);
    assert.deepEqual([found.sum, found.after], [6, "numpy"]);
    assert.equal(found.loaded.numpy, "default channel");
  });

  it("makes one module of the glue's functions, not one for each", async () => {
    const found = await page.evaluate(async () => {
      const { Module } = WebAssembly;
      let made = 0;
      WebAssembly.Module = new Proxy(Module, {
        construct(target, args) {
          made += 1;
          return new target(...args);
        },
      });
      try {
        const pyodide = await boot();
        // `emscripten_get_now` is one of those functions: C calls it through the table when its address is taken.
        const now = pyodide.runPython(`
          import ctypes
          clock = ctypes.CFUNCTYPE(ctypes.c_double)(("emscripten_get_now", ctypes.pythonapi))
          clock() > 0
        `);
        return { made, now };
      } finally {
        WebAssembly.Module = Module;
      }
    });
    assert.equal(found.now, true);
    assert.ok(found.made < 20, `${found.made} modules were compiled while everything waited`);
  });

  it("two tasks that import the same at once get the same module", async () => {
    const found = await page.evaluate(async () => {
      const pyodide = await boot();
      const same = await pyodide.runPythonAsync(`
        import asyncio
        async def one():
            import pandas
            return pandas
        async def other():
            await asyncio.sleep(0)
            import numpy, pandas
            return pandas if pandas.DataFrame({"n": [numpy.int64(2)]}).n.sum() == 2 else None
        first, second = await asyncio.gather(one(), other())
        first is second and first.__spec__.origin.endswith("/pandas/__init__.py")
      `);
      return same;
    });
    assert.equal(found, true);
  });

  it("an import of what cannot be had is a ModuleNotFoundError that says why", async () => {
    browser.server.hooks.push({ match: /regex-2024/, status: 404 });
    const error = await page.evaluate(async () => caught((await boot()).runPythonAsync("import regex")));
    browser.server.hooks.length = 0;
    assert.equal(error.type, "ModuleNotFoundError");
    assert.match(error.message, /404/);
  });

  it("a module that is too large for the page's thread is linked when its package is loaded", async () => {
    const found = await page.evaluate(async () => {
      const pyodide = await boot();
      const wheel = "kiwisolver-1.4.8-cp313-cp313-pyodide_2025_0_wasm32.whl";
      const bytes = new Uint8Array(await (await fetch(`/python/${wheel}`)).arrayBuffer());
      pyodide.globals.set("wheel", bytes);
      // A custom section of nine million bytes says nothing to anybody.
      const padded = pyodide.runPython(`
        import io, zipfile
        def leb(n):
            out = bytearray()
            while n > 127:
                out.append(n & 127 | 128); n >>= 7
            return bytes(out + bytes([n]))
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(wheel.to_bytes())) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                data = old.read(name)
                if name.endswith(".so"):
                    section = b"\\x03pad" + bytes(9_000_000)
                    module = data = data + b"\\x00" + leb(len(section)) + section
                new.writestr(name, data)
        made.getvalue()
      `);
      let refused;
      try {
        new WebAssembly.Module(pyodide.globals.get("module").toJs());
      } catch (error) {
        refused = error.name;
      }
      await pyodide._api.install(padded.toJs(), wheel, pyodide._api.sitePackages, new Map());
      const solved = pyodide.runPython(
        "import kiwisolver as k\ns = k.Solver()\nx = k.Variable('x')\ns.addConstraint(x == 4)\ns.updateVariables()\nx.value()",
      );
      return { refused, solved };
    });
    assert.deepEqual(found, { refused: "RangeError", solved: 4 });
  });

  it("bytecode is kept for the next start", async () => {
    const found = await page.evaluate(async () => {
      const code =
        "import importlib.util, os; os.path.exists(importlib.util.cache_from_source(os.path.dirname(os.__file__) + '/statistics.py'))";
      const first = await boot();
      const before = first.runPython(code);
      first.runPython("import statistics");
      // When nothing waits to be put away any more, it has been, or is about to be.
      const waiting = "from _taipan import bytecode; len(bytecode._fresh)";
      for (let tries = 0; tries < 60 && first.runPython(waiting) > 0; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { before, after: (await boot()).runPython(code) };
    });
    assert.deepEqual(found, { before: false, after: true });
  });

  it("failed starts reject with typed errors", async () => {
    const errors = await page.evaluate(async () => ({
      unknown: await caught(boot({ packages: ["nunpy"] })),
      url: await caught(boot({ indexURL: "http://[" })),
      both: await caught(boot({ lockFileContents: "{}", lockFileURL: "/x" })),
      numbers: await caught(boot({ packages: 5 })),
      nowhere: await caught(boot({ indexURL: "/nowhere/" })),
      lock: await caught(boot({ lockFileContents: "{}" })),
      aborted: await caught(boot({ signal: AbortSignal.abort() })),
      later: await caught(boot({ signal: AbortSignal.timeout(100) })),
      fsInit: await caught(boot({ fsInit: () => Promise.reject(new Error("no files")) })),
      exits: await caught(boot({ args: ["-V"], stdout() {}, stderr() {} })),
    }));
    const codes = Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, error.code]));
    assert.deepEqual(codes, {
      unknown: "PACKAGE_NOT_FOUND",
      url: "BAD_ARGUMENT",
      both: "BAD_ARGUMENT",
      numbers: "BAD_ARGUMENT",
      nowhere: "LOAD_HTTP",
      lock: "BAD_LOCK_FILE",
      aborted: "ABORTED",
      later: "ABORTED",
      fsInit: "BAD_ARGUMENT",
      exits: "FATAL",
    });
    assert.ok(Object.values(errors).every((error) => error.ours));
    assert.ok(errors.unknown.suggestions.includes("numpy"));
    assert.match(errors.fsInit.message, /no files/);
    const messages = Object.values(errors).map(({ message }) => message);
    assert.deepEqual(
      messages.filter((message) => message.includes("worker")),
      [],
    );
  });

  it("an option that is undefined is as one that is not given", async () => {
    const found = await page.evaluate(async () => {
      const pyodide = await boot({ env: undefined, args: undefined, packages: undefined, jsglobals: undefined });
      return pyodide.runPython("import os, sys; [os.environ['HOME'], *sys.argv]").toJs();
    });
    assert.deepEqual(found, ["/home/pyodide", ""]);
  });

  it("a damaged file is refused", async () => {
    browser.server.hooks.push({ match: "python_stdlib.zip", corrupt: true });
    const damaged = await page.evaluate(() => caught(boot()));
    browser.server.hooks.length = 0;
    assert.match(damaged.code, /^(INTEGRITY|BAD_ARCHIVE)$/);
  });

  it("an onProgress that throws is reported, and neither the start nor a package notices", async () => {
    const other = await browser.open();
    const found = await other.evaluate(async () => {
      const reported = new Set();
      addEventListener("error", (event) => {
        event.preventDefault();
        reported.add(event.error.message);
      });
      const { loadPyodide } = await import("/taipan/pyodide.js");
      const onProgress = ({ stage }) => {
        throw new Error(`progress ${stage === "ready"}`);
      };
      const late = (ms) => new Promise((_, reject) => setTimeout(() => reject(new Error("it hangs")), ms));
      const pyodide = await Promise.race([loadPyodide({ indexURL: "/python/", onProgress }), late(60_000)]);
      await Promise.race([pyodide.loadPackage("six"), late(30_000)]);
      return { value: pyodide.runPython("import six; six.PY3"), reported: [...reported].sort() };
    });
    await other.context().close();
    assert.deepEqual(found, { value: true, reported: ["progress false", "progress true"] });
  });

  it("progress is told, and a worker's import brings its package", async () => {
    const found = await page.evaluate(async () => {
      const source = `
        import { loadPyodide } from "${location.origin}/taipan/pyodide.js";
        const stages = new Set();
        const onProgress = ({ stage }) => stages.add(stage);
        const pyodide = await loadPyodide({ indexURL: "${location.origin}/python/", onProgress });
        const value = pyodide.runPython("import pandas; int(pandas.Series([1, 2]).sum())");
        postMessage({ value, stages: [...stages], loaded: Object.keys(pyodide.loadedPackages).sort() });`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
    });
    assert.equal(found.value, 3);
    assert.ok(found.stages.includes("ready") && found.stages.includes("import"), `${found.stages}`);
    assert.deepEqual(found.loaded, ["numpy", "pandas", "python-dateutil", "pytz", "six"]);
  });
});
