/** Waits for what a page publishes (`publish` of `pages/steps.js`), and takes nothing of its time: asking it would. */
import { PUBLISHED } from "./pages/choices.js";

/**
 * Opens a page, and waits until it has published its result, as long as the page's own time-out.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} url
 */
export const openUntilPublished = (page, url) =>
  Promise.all([
    page.waitForEvent("console", (message) => message.text() === PUBLISHED),
    page.goto(url, { waitUntil: "commit" }),
  ]);
