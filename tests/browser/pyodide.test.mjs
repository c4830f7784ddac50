/** taipan/pyodide beside stock Pyodide, from the same files: programs written for Pyodide must find no difference. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPyodidePage } from "./support/pyodide-page.mjs";

/** Programs that need nothing but the interpreter. */
const CORE = [
  "running",
  "members",
  "proxies",
  "classes",
  "conversions",
  "files",
  "mounts",
  "native_fs",
  "js_modules",
  "streams",
  "interrupts",
  "run_async",
  "archives",
  "errors",
];
/** Programs that lean on how 0.28 converts dictionaries, and on its release of Emscripten. */
const OF_0_28 = ["buffers", "filesystem_calls"];
/** Programs that need wheels which the folder of 0.28.3 has. */
const WITH_WHEELS = ["packages", "compiled", "installing", "options", "starts", "several", "standard_library"];

for (const [version, where, names] of [
  ["0.28.3", "page", [...CORE, ...OF_0_28, ...WITH_WHEELS]],
  ["0.28.3", "worker", [...CORE, ...OF_0_28, ...WITH_WHEELS]],
  ["314.0.7", "page", CORE],
  ["314.0.7", "worker", CORE],
]) {
  describe(`programs for Pyodide ${version} in a ${where}`, { timeout: 300_000 }, () => {
    let browser;
    let stock;
    let ours;
    before(async () => {
      browser = await openPyodidePage(version);
      stock = await browser.run(where, "stock", names);
      ours = await browser.run(where, "taipan", names);
    });
    after(() => browser?.close());

    for (const name of names) {
      it(`${name} says the same`, () => {
        assert.equal(stock[name].error, undefined, "stock Pyodide must be able to run the program");
        assert.ok(stock[name].said.length > 0);
        assert.equal(ours[name].error, undefined);
        assert.deepEqual(ours[name].said, stock[name].said);
      });
    }
  });
}
