/** The lesson in every browser: it opens, its cells run, a table, a figure, an error and a question are shown. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { startServer } from "../../scripts/server.mjs";
import { BROWSERS, openBrowser } from "../support/browsers.mjs";

/** What the page is asked; these functions run in it. */
const HELPERS = () => {
  globalThis.until = async (condition) => {
    for (const end = performance.now() + 120_000; ; ) {
      const found = condition();
      if (found) return found;
      if (performance.now() > end) throw new Error(`waited in vain for ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  globalThis.cell = (number) => document.querySelector(`[role="group"][aria-label="Cell ${number}"]`);
  globalThis.ended = (number) =>
    until(() => ["done", "failed", "idle"].find((state) => cell(number).dataset.state === state));
  globalThis.output = (number) => cell(number).querySelector(".output");
  // HTML that Python displays is in shadow roots.
  globalThis.rowsIn = (element) =>
    [...element.querySelectorAll("*")]
      .map(({ shadowRoot }) => shadowRoot?.querySelectorAll("table tbody tr").length ?? 0)
      .reduce((sum, rows) => sum + rows, 0);
};

/** `TAIPAN_SCREENSHOTS` names a folder for pictures of what the tests see. */
async function picture(browser, name) {
  const folder = process.env.TAIPAN_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${browser.name}-${name}.png`), await browser.screenshot());
}

for (const name of BROWSERS) {
  describe(`the lesson in ${name}`, { timeout: 600_000 }, () => {
    let server;
    let browser;
    before(async () => {
      server = await startServer({
        roots: { "/": join(root, "build"), "/python/0.28.3/": distributionFolder("0.28.3") },
        compress: false,
      });
      browser = await openBrowser(name);
      await browser.resize(1280, 900);
      await browser.goto(`${server.url}/`);
      await browser.evaluate(HELPERS);
    });
    after(async () => {
      await browser?.close();
      await server?.close();
    });

    it("is ready", async () => {
      const text = await browser.evaluate(async () => {
        await until(() => document.querySelector('#status[data-state="ready"]'));
        return document.querySelector("#status-text").textContent;
      });
      assert.equal(text, "Python is ready");
      await picture(browser, "ready");
    });

    it("runs its cells: text, an error with advice, tables, a figure", async () => {
      const found = await browser.evaluate(async () => {
        const runAll = [...document.querySelectorAll("button")].find(
          ({ textContent }) => textContent.trim() === "Run all",
        );
        runAll.click();
        const states = [];
        for (let number = 1; number <= 7; number += 1) states.push(await ended(number));
        const image = document.querySelector(".output img");
        await image.decode();
        return {
          states,
          text: output(1).textContent,
          error: output(3).textContent,
          rows: rowsIn(output(5)),
          image: { width: image.naturalWidth, alt: image.alt },
        };
      });
      assert.deepEqual(
        found.states.map((state, index) => [index + 1, state]),
        found.states.map((_, index) => [index + 1, index === 2 ? "failed" : "done"]),
      );
      assert.match(found.text, /Once round the Earth: 40074 km/);
      assert.match(found.error, /NameError: name 'nammes' is not defined. Did you mean: 'names'\?/);
      assert.ok(found.rows > 1);
      assert.ok(found.image.width >= 300, JSON.stringify(found.image));
      await picture(browser, "cells");
    });

    it("asks a question, or says why Python cannot", async () => {
      const found = await browser.evaluate(async () => {
        const question = () => cell(8).querySelector(".output input");
        await until(() => question() || ["done", "failed"].includes(cell(8).dataset.state));
        if (!question()) return { text: output(8).textContent };
        question().value = "40";
        question().form.requestSubmit();
        await ended(8);
        return { text: output(8).textContent, asked: true };
      });
      if (name === "webkit") assert.match(found.text, /OSError/);
      else assert.match(found.text, /Mercury\s+166\.0 years/);
      await browser.evaluate(() => cell(8).scrollIntoView());
      await picture(browser, "question");
    });

    it("fits on a phone", async () => {
      await browser.resize(390, 800);
      const found = await browser.evaluate(async () => {
        scrollTo(0, 0);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return { wide: document.documentElement.scrollWidth, window: innerWidth };
      });
      assert.ok(found.wide <= found.window, JSON.stringify(found));
      await picture(browser, "phone");
      await browser.evaluate(() => document.querySelector(".output img").scrollIntoView({ block: "center" }));
      await picture(browser, "phone-figure");
    });
  });
}
