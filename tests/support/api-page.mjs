/** A page in headless Chromium that has imported the built package, beside a distribution: for tests of the API. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../scripts/common/chromium-flags.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { startServer } from "../../scripts/server.mjs";

const CHROMIUM = process.env.CHROME_PATH ?? "/usr/bin/chromium";

/** What the tests find in the page besides its own globals. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>API</title>
<link rel="icon" href="data:,">
<script type="module">
  import * as taipan from "/taipan/index.js";
  globalThis.taipan = taipan;
  /** Python, started with these options over the usual ones. No test depends on what another has imported. */
  globalThis.start = (options) => taipan.loadPython({ indexURL: "/python/", image: "none", ...options });
  /** Python for tests that leave it as they found it. */
  globalThis.shared = () => (globalThis.sharedPython ??= start());
  /** What a promise rejects with, as data; an assertion fails elsewhere if it does not reject. */
  globalThis.caught = async (promise) => {
    try {
      return { resolved: await promise };
    } catch (error) {
      const { name, code, message, hint, cause } = error;
      return { ...error, name, code, message, hint, cause: cause && String(cause), ours: taipan.isTaipanError(error) };
    }
  };
  globalThis.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  globalThis.isReady = true;
</script>
</html>
`;

/**
 * Opens the page.
 *
 * @param {object} [options]
 * @param {boolean} [options.isolated] whether the page has shared memory; default true
 * @param {string} [options.version] of the distribution under `/python/`
 * @param {string} [options.python] the folder served there; default: that distribution as it came
 * @param {Record<string, string | { folder: string, immutable?: boolean }>} [options.roots] folders served besides
 * @returns {Promise<{ page: import("playwright-core").Page, server: Awaited<ReturnType<typeof startServer>>, evaluate:
 *   import("playwright-core").Page["evaluate"], close(): Promise<void> }>}
 */
export async function openApiPage({
  isolated = true,
  version = "0.28.3",
  python = distributionFolder(version),
  roots = {},
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), "taipan-api-"));
  await writeFile(join(folder, "index.html"), PAGE);
  const server = await startServer({
    roots: {
      "/": folder,
      "/taipan/": process.env.TAIPAN_DIST ?? join(root, "dist"),
      // Asked for anew each time, so that a fault of the server is not hidden by the browser's cache.
      "/python/": { folder: python, immutable: false },
      ...roots,
    },
    isolated,
    compress: false,
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => globalThis.isReady);
  return {
    page,
    server,
    evaluate: page.evaluate.bind(page),
    close: async () => {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
