/** What a page does for the measurement beside what is measured: in a browser of its own, with nothing kept. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "../scripts/common/browser.mjs";
import { Problem } from "../scripts/common/problem.mjs";
import { openUntilPublished } from "./published.mjs";

const TIMEOUT = 120_000;

/**
 * Opens a page, and waits until it has published its result (`publish` of `pages/steps.js`).
 *
 * @param {string} url
 * @param {(value: unknown, page: import("playwright-core").Page) => unknown} use is given the result while the page is open
 * @returns what `use` gives
 */
export async function errand(url, use = (value) => value) {
  const profile = await mkdtemp(join(tmpdir(), "taipan-bench-errand-"));
  const context = await openBrowser(profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(TIMEOUT);
    await openUntilPublished(page, url);
    const { value, error } = await page.evaluate(() => globalThis.result);
    if (error) throw new Problem(`${url} failed: ${error}`);
    return await use(value, page);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
