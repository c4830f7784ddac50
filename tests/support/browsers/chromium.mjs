/** Chromium, driven by Playwright. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "../../../scripts/common/browser.mjs";

/**
 * @param {string[]} [flags] besides the usual ones
 * @returns {Promise<import("../browsers.mjs").Driver>}
 */
export async function openChromium(flags) {
  const profile = await mkdtemp(join(tmpdir(), "taipan-chromium-"));
  const context = await openBrowser(profile, flags);
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(60_000);
  return {
    page,
    goto: async (url) => void (await page.goto(url)),
    evaluate: (source) => page.evaluate(source),
    resize: (width, height) => page.setViewportSize({ width, height }),
    screenshot: () => page.screenshot(),
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
