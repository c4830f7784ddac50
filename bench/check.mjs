/** What a line is like for a page's worker: says whether a measurement over it is one of that line. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "../scripts/common/browser.mjs";
import { Problem } from "../scripts/common/problem.mjs";

/**
 * @param {string} url of the server behind the line
 * @returns {Promise<{ delay: number, together: number, alone: number, synchronous: number }>} milliseconds until a small
 *   answer; bytes per second of six requests at once, of one, and of a synchronous one
 */
export async function checkLine(url) {
  const profile = await mkdtemp(join(tmpdir(), "taipan-bench-line-"));
  const context = await openBrowser(profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`${url}/bench/line.html`);
    await page.waitForFunction(() => globalThis.result !== undefined, undefined, { timeout: 120_000 });
    const { value, error } = await page.evaluate(() => globalThis.result);
    if (error) throw new Problem(`The line could not be tried: ${error}`);
    return value;
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
