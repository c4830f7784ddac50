/** Firefox, driven by Puppeteer over WebDriver BiDi. */
import puppeteer from "puppeteer-core";
import { Problem } from "../../../scripts/common/problem.mjs";
import { firefoxPath } from "../../../scripts/setup/firefox.mjs";

/** @returns {Promise<import("../browsers.mjs").Driver>} */
export async function openFirefox() {
  const executablePath = await firefoxPath();
  if (!executablePath) throw new Problem("Firefox is not installed.", "Run `npm run setup`, or set FIREFOX_PATH.");
  // Without a profile of ours Puppeteer makes one, and throws it away.
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    protocolTimeout: 600_000,
  });
  const [page] = await browser.pages();
  return {
    goto: async (url) => void (await page.goto(url, { waitUntil: "load", timeout: 60_000 })),
    evaluate: (source) => page.evaluate(source),
    resize: (width, height) => page.setViewport({ width, height }),
    screenshot: async () => Buffer.from(await page.screenshot()),
    close: () => browser.close(),
  };
}
