/** A page that has imported the built package, beside a distribution: for tests of the API. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { startServer } from "../../scripts/server.mjs";
import { openBrowser } from "./browsers.mjs";

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
 * @param {"chromium" | "firefox" | "webkit"} [options.browser] default: Chromium
 * @param {string[]} [options.flags] of the command line, in Chromium
 * @param {boolean} [options.isolated] whether the page has shared memory; default true
 * @param {string} [options.version] of the distribution under `/python/`
 * @param {string} [options.python] the folder served there; default: that distribution as it came
 * @param {Record<string, string | { folder: string, immutable?: boolean }>} [options.roots] folders served besides
 * @param {Parameters<typeof startServer>[0]["handlers"]} [options.handlers] answers that are not files, by path
 * @returns in Chromium `page` is Playwright's and `evaluate` is its own; elsewhere there is no `page`, and `evaluate` takes
 *   and gives JSON
 */
export async function openApiPage({
  browser: name = "chromium",
  flags,
  isolated = true,
  version = "0.28.3",
  python = distributionFolder(version),
  roots = {},
  handlers = {},
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
    handlers,
    isolated,
    compress: false,
  });
  const browser = await openBrowser(name, flags);
  const opened = {
    browser,
    page: browser.page,
    server,
    evaluate: browser.page?.evaluate.bind(browser.page) ?? browser.evaluate,
    /** Goes to the page, again: a visit of its own. */
    visit: async (query = "") => {
      await browser.goto(`${server.url}/${query}`);
      await browser.evaluate(async () => {
        while (!globalThis.isReady) await new Promise((resolve) => setTimeout(resolve, 20));
      });
    },
    close: async () => {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
  await opened.visit();
  return opened;
}
