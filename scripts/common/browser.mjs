/** Chromium, driven by Playwright, with a profile that the caller keeps or throws away. */
import { chromium } from "playwright-core";
import { chromiumPath } from "../setup/chromium.mjs";
import { CHROMIUM_FLAGS } from "./chromium-flags.mjs";
import { Problem } from "./problem.mjs";

/**
 * Opens a browser on a profile folder.
 *
 * @param {string} profile a folder, made where there is none
 * @param {string[]} [flags] besides the usual ones
 * @returns {Promise<import("playwright-core").BrowserContext>} closing it closes the browser
 */
export async function openBrowser(profile, flags = []) {
  const executablePath = await chromiumPath();
  if (!executablePath) throw new Problem("Chromium is not installed.", "Run `npm run setup`, or set CHROME_PATH.");
  return chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [...CHROMIUM_FLAGS, ...flags],
  });
}
