/** One way to drive three browsers, so that one test runs in each. */
import { chosenBrowsers } from "../../scripts/setup/browsers.mjs";
import { openChromium } from "./browsers/chromium.mjs";
import { openFirefox } from "./browsers/firefox.mjs";
import { openWebKit } from "./browsers/webkit.mjs";

/**
 * What a browser does for tests; it begins with one tab and a profile that nobody has used.
 *
 * @typedef {object} Driver
 * @property {(url: string) => Promise<void>} goto goes to an address and waits until the page has loaded
 * @property {(source: string) => Promise<string>} evaluate an expression whose value is a promise of a string
 * @property {(width: number, height: number) => Promise<unknown>} resize
 * @property {() => Promise<Buffer>} screenshot a PNG of what is seen
 * @property {() => Promise<void>} close
 * @property {boolean} [isForgetful] whether what pages have stored is lost when no page or worker has it open any longer:
 *   WebKit's WebDriver opens a private window
 * @property {import("playwright-core").Page} [page] Playwright's, in Chromium
 */

const OPENERS = { chromium: openChromium, firefox: openFirefox, webkit: openWebKit };

/** The browsers to test in. */
export const BROWSERS = chosenBrowsers();

/** Calls a function in the page: what goes in and comes out is JSON, and an error is one here too. */
const call = (body, argument) => `(async () => {
  try {
    return JSON.stringify({ value: await (${body})(${JSON.stringify(argument) ?? ""}) });
  } catch (error) {
    const stacks = [error, error?.cause].map((link) => link?.stack).filter(Boolean).join("\\ncaused by\\n");
    return JSON.stringify({ thrown: { name: String(error?.name), message: String(error?.message ?? error), stack: stacks } });
  }
})()`;

/**
 * Opens a browser with a fresh profile.
 *
 * @param {"chromium" | "firefox" | "webkit"} name
 * @param {string[]} [flags] of the command line, in Chromium
 */
export async function openBrowser(name, flags) {
  const driver = await OPENERS[name](flags);
  return {
    ...driver,
    name,
    /**
     * Calls a function in the page.
     *
     * @param {Function} body it sees nothing of the test but its argument; it may be async
     * @param {unknown} [argument] as JSON
     * @returns what it gives, as JSON
     */
    evaluate: async (body, argument) => {
      const { value, thrown } = JSON.parse(await driver.evaluate(call(body, argument)));
      if (thrown === undefined) return value;
      throw Object.assign(new Error(`in the page: ${thrown.name}: ${thrown.message}\n${thrown.stack}`), {
        name: thrown.name,
      });
    },
  };
}
