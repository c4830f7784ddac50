/** Programs in TypeScript as there are many for Pyodide: compiled once with `pyodide`, once with ours in its place. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import { root } from "../../scripts/common/paths.mjs";
import { openPyodidePage } from "./support/pyodide-page.mjs";

const SOURCES = join(root, "tests", "browser", "programs", "typescript");
const LOADERS = { stock: "/python/pyodide.mjs", taipan: "/taipan/pyodide.js" };
const sources = (await readdir(SOURCES)).filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
const names = sources.map((name) => `typescript/${name.replace(".ts", "")}`);

/** The programs that did not come to their end, or said nothing on the way. */
const failures = (outcomes) =>
  names
    .map((name) => ({ name, said: 0, ...outcomes[name] }))
    .filter(({ said, error }) => error !== undefined || !(said.length > 0));

describe("programs in TypeScript that change the import alone", { timeout: 300_000 }, () => {
  let folder;
  let browser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-typescript-"));
    for (const [loader, address] of Object.entries(LOADERS)) {
      await build({
        entryPoints: sources.map((name) => join(SOURCES, name)),
        outdir: join(folder, loader),
        bundle: true,
        format: "esm",
        target: "es2022",
        alias: { pyodide: address },
        external: [address],
        logLevel: "error",
      });
    }
    browser = await openPyodidePage("0.28.3", { "/programs/typescript/": folder });
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const where of ["page", "worker", "classic worker"]) {
    it(`say the same in a ${where}`, async () => {
      const stock = await browser.run(where, "stock", names);
      const ours = await browser.run(where, "taipan", names);
      assert.deepEqual(failures(stock), [], "stock Pyodide must be able to run them");
      assert.deepEqual(failures(ours), []);
      assert.deepEqual(ours, stock);
    });
  }
});
