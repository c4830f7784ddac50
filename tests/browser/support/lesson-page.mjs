/** The lesson, built, beside the real distribution, in headless Chromium. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "../../../scripts/common/browser.mjs";
import { distributionFolder, root } from "../../../scripts/common/paths.mjs";
import { startServer } from "../../../scripts/server.mjs";

/** Python starts, or brings packages, in this time on a slow and busy machine. */
export const PATIENCE = 60_000;

/** The number of the empty cell at the end of the lesson. */
export const OWN = 9;

/**
 * A server with the page, and a browser with a fresh profile.
 *
 * @param {object} [options] of the server: `isolated`, `hooks`
 */
export async function openLessons(options = {}) {
  const server = await startServer({
    roots: {
      "/": join(root, "build"),
      "/python/0.28.3/": distributionFolder("0.28.3"),
      "/python/314.0.7/": distributionFolder("314.0.7"),
    },
    compress: false,
    ...options,
  });
  const profile = await mkdtemp(join(tmpdir(), "taipan-page-"));
  const context = await openBrowser(profile);
  return {
    server,
    context,
    /** Opens the lesson in a tab. Its `problems` are uncaught errors and errors on the console. */
    open: async ({ query = "", ready = true, ...screen } = {}) => {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      if (screen.viewport) await page.setViewportSize(screen.viewport);
      if (screen.colorScheme) await page.emulateMedia({ colorScheme: screen.colorScheme });
      const lesson = new LessonPage(page);
      await page.goto(`${server.url}/${query}`);
      if (ready) await lesson.state("ready");
      return lesson;
    },
    close: async () => {
      await context.close();
      await server.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** What a learner does with the lesson. Cells count from 1. */
export class LessonPage {
  /** @type {string[]} */
  problems = [];

  constructor(page) {
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
  }

  cell(number) {
    return this.page.getByRole("group", { name: `Cell ${number}`, exact: true });
  }

  editor(number) {
    return this.page.getByRole("textbox", { name: `Python code, cell ${number}`, exact: true });
  }

  output(number) {
    return this.cell(number).locator(".output");
  }

  /** Waits until Python is in this state. */
  async state(name) {
    await this.page.locator(`#status[data-state="${name}"]`).waitFor({ timeout: PATIENCE });
  }

  /** Waits until a cell is in one of these states, and says in which. */
  async cellState(number, ...states) {
    const selector = states.map((state) => `[data-state="${state}"]`).join(",");
    const cell = this.cell(number).and(this.page.locator(selector));
    await cell.waitFor({ timeout: PATIENCE });
    return cell.getAttribute("data-state");
  }

  async type(number, code) {
    await this.editor(number).fill(code);
  }

  async press(number, name) {
    await this.cell(number)
      .getByRole("button", { name: `${name} cell ${number}`, exact: true })
      .click();
  }

  /** Types code into a cell, runs it and waits for its end: `done`, `failed`, or `idle` if it was stopped. */
  async run(number, code) {
    if (code !== undefined) await this.type(number, code);
    await this.press(number, "Run");
    return this.ended(number);
  }

  /** Waits until a cell no longer runs. */
  async ended(number) {
    return this.cellState(number, "done", "failed", "idle");
  }

  /** Stops what a test that failed has left running. */
  async rest() {
    const stop = this.page.getByRole("button", { name: "Stop", exact: true });
    if (await stop.isEnabled()) await stop.click();
    await this.state("ready");
  }

  /** The text of a cell's output as it is read. */
  async text(number) {
    return (await this.output(number).innerText()).trim();
  }

  /** The text of the table in a cell's output. */
  async table(number) {
    return (await this.output(number).getByRole("table").innerText()).trim();
  }

  /** Where the keyboard is. */
  async focused() {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent?.trim() ?? "";
    });
  }
}
