/** The main road of the API in every browser: what the browser lacks is done by a slower road, and `features` says so. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { BROWSERS } from "../support/browsers.mjs";

/** What each browser can do on a page that is isolated. */
const FEATURES = {
  chromium: { interrupt: "shared", input: "shared", jspi: true, opfs: true, store: "opfs", automaticImage: false },
  firefox: { interrupt: "shared", input: "shared", jspi: true, opfs: true, store: "opfs", automaticImage: false },
  webkit: {
    interrupt: "restart",
    input: "unsupported",
    jspi: false,
    opfs: false,
    store: "cache",
    automaticImage: false,
  },
};

for (const name of BROWSERS) {
  const features = FEATURES[name];
  describe(`Taipan in ${name}`, { timeout: 600_000 }, () => {
    let api;
    before(async () => {
      api = await openApiPage({ browser: name });
    });
    after(() => api?.close());
    const evaluate = (body, argument) => api.browser.evaluate(body, argument);

    it("starts, and says by which roads", async () => {
      const found = await evaluate(async () => {
        const progress = [];
        const python = await start({
          env: { COLOUR: "green" },
          stdin: (prompt) => `answer to ${prompt}`,
          onProgress: ({ stage }) => progress.push(stage),
        });
        globalThis.python = python;
        const { value } = await python.run("import os; os.environ['COLOUR']");
        return {
          value,
          version: python.version,
          features: python.features,
          last: progress.at(-1),
          memory: await python.memory(),
        };
      });
      assert.equal(found.version, "0.28.3");
      assert.equal(found.value, "green");
      assert.equal(found.last, "ready");
      assert.deepEqual(found.features, features);
      assert.ok(found.memory.interpreter > 10e6);
    });

    it("has pandas by importing it", async () => {
      const { value, outputs } = await evaluate(() =>
        python.run(`
import pandas as pd
frame = pd.DataFrame({"key": list("aab"), "value": [1, 2, 3.5]})
display(frame)
frame.groupby("key").value.sum().to_dict()`),
      );
      assert.deepEqual(value, { a: 3, b: 3.5 });
      assert.match(outputs[0].data["text/html"], /<table/);
    });

    it("brings a package that no scan of the source could announce", async () => {
      const { value } = await evaluate(() =>
        python.run("import importlib\nimportlib.import_module('s' + 'ix').__version__"),
      );
      assert.match(value, /^1\./);
    });

    it("sends output as it happens, in order", async () => {
      const found = await evaluate(async () => {
        const code = `
import sys, time
print("one")
end = time.time() + 1
while time.time() < end: pass
print("two", file=sys.stderr)`;
        let ended = false;
        let early;
        const running = python.run(code, {
          onOutput: ({ text }) => {
            early ??= { text, ended };
          },
        });
        const { outputs } = await running.finally(() => {
          ended = true;
        });
        return { early, outputs };
      });
      assert.deepEqual(found.early, { text: "one", ended: false });
      assert.deepEqual(found.outputs, [
        { type: "stdout", text: "one\n" },
        { type: "stderr", text: "two\n" },
      ]);
    });

    it("awaits, fetches, and has JavaScript's objects", async () => {
      const { value } = await evaluate(() =>
        python.run(`
import asyncio
from pyodide.http import pyfetch
from js import Object
await asyncio.sleep(0.01)
response = await pyfetch("/python/pyodide-lock.json")
[(await response.json())["info"]["python"], Object.keys(Object.fromEntries([["x", 1]])).to_py()]`),
      );
      assert.deepEqual(value, ["3.13.2", ["x"]]);
    });

    it("waits inside of asyncio.run, or says what to write instead", async () => {
      const outcome = await evaluate(() => caught(python.run("import asyncio\nasyncio.run(asyncio.sleep(0.01, 7))")));
      if (features.jspi) assert.equal(outcome.resolved.value, 7);
      else assert.match(outcome.message, /^RuntimeError: .*`await main\(\)`/);
    });

    it("describes errors", async () => {
      const error = await evaluate(() => caught(python.run("def f():\n    1 / 0\nf()", { filename: "lesson.py" })));
      assert.equal(error.code, "PYTHON");
      assert.equal(error.type, "ZeroDivisionError");
      assert.deepEqual(
        error.frames.map(({ line, source }) => [line, source]),
        [
          [3, "f()"],
          [2, "1 / 0"],
        ],
      );
      const recursion = await evaluate(() => caught(python.run("def f(): return f()\nf()")));
      assert.equal(recursion.type, "RecursionError");
      const { value } = await evaluate(() => python.run("len(frame)"));
      assert.equal(value, 3);
    });

    it("reads and writes files, and shows the page's", async () => {
      const found = await evaluate(async () => {
        await python.fs.writeFile("/home/pyodide/a.csv", "x,y\n1,2\n");
        await python.fs.mount("/data", new Blob(["mounted"]));
        const { value } = await python.run("[pd.read_csv('a.csv').to_dict(), open('/data').read()]");
        await python.run("frame.to_csv('b.csv', index=False)");
        const text = await python.fs.readFile("/home/pyodide/b.csv", { encoding: "utf8" });
        const missing = await caught(python.fs.readFile("/nowhere"));
        return { value, text, missing };
      });
      assert.deepEqual(found.value, [{ x: { 0: 1 }, y: { 0: 2 } }, "mounted"]);
      assert.equal(found.text, "key,value\na,1.0\na,2.0\nb,3.5\n");
      assert.equal(found.missing.errno, "ENOENT");
    });

    it("answers input(), or says why it cannot", async () => {
      const outcome = await evaluate(() => caught(python.run("input('name')")));
      if (features.input === "shared") assert.equal(outcome.resolved.value, "answer to name");
      else assert.equal(outcome.type, "OSError");
    });

    it("stops what awaits, and keeps the variables", async () => {
      const found = await evaluate(async () => {
        const running = caught(python.run("import asyncio\nawait asyncio.sleep(1000)"));
        await sleep(300);
        await python.interrupt();
        return { error: await running, value: (await python.run("len(frame)")).value };
      });
      assert.equal(found.error.code, "INTERRUPTED");
      assert.equal(found.error.restarted, false);
      assert.equal(found.value, 3);
    });

    it("stops what computes, by the road that the browser has", async () => {
      const found = await evaluate(async () => {
        const running = caught(python.run("while True: pass"));
        await sleep(300);
        await python.interrupt();
        const error = await running;
        return { error, value: (await python.run("'frame' in globals()")).value };
      });
      assert.equal(found.error.code, "INTERRUPTED");
      assert.equal(found.error.restarted, features.interrupt === "restart");
      assert.equal(found.value, features.interrupt === "shared");
    });

    it("ends what takes too long", async () => {
      const found = await evaluate(async () => {
        const error = await caught(python.run("while True: pass", { timeoutMs: 500 }));
        return { error, value: (await python.run("1 + 1")).value };
      });
      assert.equal(found.error.code, "TIMEOUT");
      // Python looks at the clock itself.
      assert.equal(found.error.restarted, false);
      assert.equal(found.value, 2);
    });

    it("starts afresh, and ends", async () => {
      const found = await evaluate(async () => {
        await python.run("x = 1");
        await python.restart();
        const { value } = await python.run("'x' in globals()");
        python.dispose();
        return { value, after: await caught(python.run("1")) };
      });
      assert.equal(found.value, false);
      assert.equal(found.after.code, "DISPOSED");
    });

    it("has on the second visit what it kept on the first", async () => {
      const other = await openApiPage({ browser: name });
      try {
        await other.browser.evaluate(async () => {
          globalThis.first = await start();
          await first.run("import pandas");
          // Both wheels and what was compiled, and then nothing more for two seconds: a busy machine takes its time.
          for (let [wait, still, before] = [0, 0, 0]; wait < 300 && still < 20; wait += 1) {
            const { entries, bytes } = await first.store.usage();
            still = entries >= 4 && bytes > 8e6 && bytes === before ? still + 1 : 0;
            before = bytes;
            await sleep(100);
          }
        });
        if (!other.browser.isForgetful) await other.visit();
        const before = other.server.log.length;
        const found = await other.browser.evaluate(async () => {
          const python = await start();
          const { value } = await python.run("import pandas; pandas.__version__");
          const { backend, bytes } = await python.store.usage();
          python.dispose();
          return { value, backend, bytes };
        });
        assert.equal(found.value, "2.3.1");
        assert.equal(found.backend, features.store);
        assert.ok(found.bytes > 8e6, `${found.bytes} bytes`);
        const fetched = other.server.log.slice(before).map(({ path }) => path);
        assert.deepEqual(
          fetched.filter((path) => path.endsWith(".whl")),
          [],
        );
      } finally {
        await other.close();
      }
    });

    it("keeps nothing, and works, where the store is turned off", async () => {
      const found = await evaluate(async () => {
        const python = await start({ cache: "none", packages: ["six"] });
        const { value } = await python.run("import six; six.PY3");
        const { features } = python;
        python.dispose();
        return { value, store: features.store };
      });
      assert.deepEqual(found, { value: true, store: "none" });
    });

    it("works on a page that is not isolated, by the slower roads", async () => {
      const other = await openApiPage({ browser: name, isolated: false });
      try {
        const found = await other.browser.evaluate(async () => {
          const python = await start({ stdin: () => "never" });
          const running = caught(python.run("while True: pass"));
          await sleep(300);
          await python.interrupt();
          const { restarted } = await running;
          return { restarted, features: python.features, value: (await python.run("1 + 1")).value };
        });
        assert.equal(found.restarted, true);
        assert.deepEqual(found.features, { ...features, interrupt: "restart", input: "unsupported" });
        assert.equal(found.value, 2);
      } finally {
        await other.close();
      }
    });
  });
}
