/** Modules are found in one question to the file system: what is found is what importlib would find. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

const PROGRAM = new URL("programs/module_lookup.py", import.meta.url);

for (const [version, packages, least] of [
  ["0.28.3", ["pandas", "scikit-learn"], 2000],
  ["314.0.7", [], 500],
]) {
  describe(`modules of ${version}`, { timeout: 300_000 }, () => {
    let api;
    let found;
    before(async () => {
      api = await openApiPage({ version });
      const code = await readFile(PROGRAM, "utf8");
      found = await api.evaluate(
        async ({ code, packages }) => {
          const python = await start({ packages });
          const { outputs } = await python.run(code);
          python.dispose();
          return JSON.parse(outputs.map(({ text }) => text).join(""));
        },
        { code, packages },
      );
    });
    after(() => api?.close());

    it("have the specs that PathFinder gives them", () => {
      const [checked, wrong] = found.differences;
      assert.deepEqual(wrong, []);
      assert.ok(checked > least, `${checked} modules were found`);
    });

    it("are what is there at that moment, and whatever is not plain is left to importlib", () => {
      assert.deepEqual(found.cases, {
        "from bytecode": [version === "314.0.7", true],
        "new file": 1,
        "bytecode was written": true,
        "another size": 22,
        "another time": 33,
        "damaged bytecode": 33,
        gone: "ModuleNotFoundError",
        "namespace package": true,
        "part of it": "part",
        "in a ZIP file": "zipped",
        "in the working directory": true,
        "by a path hook": "hooked",
        "no module": Array(5).fill("ModuleNotFoundError"),
      });
    });
  });
}
