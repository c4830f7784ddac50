/** What Pyodide's bridge evaluates in Python when an image is restored. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

/** Notes every function of Python's that is called from here on, in the image and after it. */
const WATCH = `
import sys
called = []
sys.setprofile(lambda frame, event, _: event == "call" and called.append(frame.f_code.co_qualname))`;

for (const version of ["0.28.3", "314.0.7"]) {
  describe(`the bridge of ${version}, restored`, { timeout: 300_000 }, () => {
    let api;
    before(async () => {
      api = await openApiPage({ version });
      await api.evaluate(async (watch) => {
        const python = await start();
        await python.run(watch);
        const image = URL.createObjectURL(await python.bake());
        python.dispose();
        globalThis.restored = await start({ image });
      }, WATCH);
    });
    after(() => api?.close());

    it("evaluates its own expressions without looking at them as at programs", async () => {
      const called = await api.evaluate(async () => (await restored.run("sys.setprofile(None); called")).value);
      // The last of baking, and the last of restoring.
      const [begin, end] = [called.lastIndexOf("numpy_random"), called.lastIndexOf("renew")];
      assert.ok(begin > 0 && end > begin, `${begin} ${end}`);
      const since = called.slice(begin, end);
      assert.equal(since.filter((name) => name === "_evaluate").length, 4);
      assert.deepEqual(
        since.filter((name) => name.startsWith("CodeRunner") || name === "deepcopy"),
        [],
      );
    });

    it("leaves Pyodide's eval_code as it was", async () => {
      const found = await api.evaluate(async () => {
        const { value } = await restored.run(
          [
            "from _pyodide import _base",
            "import pyodide.code",
            "[_base.eval_code is pyodide.code.eval_code, _base.eval_code('x = 2; x ** 5 # and no more'), _base.eval_code('1;')]",
          ].join("\n"),
        );
        return value;
      });
      assert.deepEqual(found, [true, 32, null]);
    });
  });
}
