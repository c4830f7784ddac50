/** Runs the programs of tests/browser/programs/pyodide in Chromium, with stock Pyodide or with taipan/pyodide. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../../scripts/common/chromium-flags.mjs";
import { distributionFolder, root } from "../../../scripts/common/paths.mjs";
import { startServer } from "../../../scripts/server.mjs";

const CHROMIUM = process.env.CHROME_PATH ?? "/usr/bin/chromium";

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pyodide</title><link rel="icon" href="data:,">
<script type="module">
  import { runPrograms } from "/programs/runner.js";
  globalThis.runPrograms = (where, loader, names) => {
    if (where === "page") return runPrograms(loader, names);
    return new Promise((resolve, reject) => {
      const worker = new Worker("/programs/worker.js", { type: where === "classic worker" ? "classic" : "module" });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ loader, names });
    });
  };
</script></html>`;

/**
 * Opens a browser beside a server of a distribution (`/python/`), the built package (`/taipan/`) and the programs.
 *
 * @param {string} version of the distribution
 * @param {Record<string, string>} [roots] further folders to serve
 */
export async function openPyodidePage(version, roots = {}) {
  const folder = await mkdtemp(join(tmpdir(), "taipan-pyodide-"));
  await writeFile(join(folder, "index.html"), PAGE);
  const server = await startServer({
    roots: {
      "/": folder,
      "/taipan/": process.env.TAIPAN_DIST ?? join(root, "dist"),
      "/programs/": join(root, "tests", "browser", "programs", "pyodide"),
      "/python/": { folder: distributionFolder(version), immutable: false },
      ...roots,
    },
    compress: false,
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  /** A page of its own, in a profile of its own. */
  const open = async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${server.url}/`);
    await page.waitForFunction(() => globalThis.runPrograms);
    return page;
  };
  return {
    server,
    open,
    /** What the programs said, by name. They run in a "page", a "worker" of type module, or a "classic worker". */
    run: async (where, loader, names) => {
      const page = await open();
      try {
        return await page.evaluate(
          ([where, loader, names]) => runPrograms(where, loader, names),
          [where, loader, names],
        );
      } finally {
        await page.context().close();
      }
    },
    close: async () => {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
