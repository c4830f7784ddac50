/** The lesson in a real browser when something is missing, denied or wrong. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OWN, openLessons } from "./support/lesson-page.mjs";

describe("the lesson when things go wrong", () => {
  it("says that Python did not start, and starts it on request", async () => {
    const lessons = await openLessons({ hooks: [{ match: "pyodide.asm.wasm", status: 404, times: 1 }] });
    try {
      const lesson = await lessons.open({ ready: false });
      await lesson.press(1, "Run");
      await lesson.state("failed");
      assert.match(await lesson.page.locator("#status-text").innerText(), /^Python did not start: .*404/);
      assert.equal(await lesson.ended(1), "failed");
      await lesson.page.getByRole("button", { name: "Try again" }).click();
      await lesson.state("ready");
      assert.equal(await lesson.run(1), "done");
    } finally {
      await lessons.close();
    }
  });

  it("names a package that cannot be had", async () => {
    const lessons = await openLessons({ hooks: [{ match: /\/six-[^/]*\.whl$/, status: 404 }] });
    try {
      const lesson = await lessons.open();
      assert.equal(await lesson.run(OWN, "import pandas"), "failed");
      assert.match(await lesson.text(OWN), /six/);
    } finally {
      await lessons.close();
    }
  });

  it("stops by restarting where memory cannot be shared, and says so for input()", async () => {
    const lessons = await openLessons({ isolated: false });
    try {
      const lesson = await lessons.open();
      assert.equal(await lesson.run(1, "here = 1"), "done");
      await lesson.type(OWN, 'print("begun")\nwhile True: pass');
      await lesson.press(OWN, "Run");
      await lesson.cellState(OWN, "running");
      await lesson.page.waitForTimeout(300);
      await lesson.press(OWN, "Stop");
      assert.equal(await lesson.ended(OWN), "idle");
      await lesson.state("ready");
      assert.equal(await lesson.run(OWN, "here"), "failed");
      assert.match(await lesson.text(OWN), /^NameError/);
      assert.equal(await lesson.run(OWN, "input('Name? ')"), "failed");
      assert.match(await lesson.text(OWN), /^OSError: .*\w/);
    } finally {
      await lessons.close();
    }
  });

  it("ignores an index URL of another origin", async () => {
    const lessons = await openLessons();
    try {
      const lesson = await lessons.open({ query: "?indexURL=https://example.org/python/" });
      assert.equal(await lesson.page.locator("#status-text").innerText(), "Python is ready");
      const other = await lessons.open({ query: "?indexURL=/nothing-here/", ready: false });
      await other.state("failed");
      assert.ok(lessons.server.log.some(({ path }) => path.startsWith("/nothing-here/")));
    } finally {
      await lessons.close();
    }
  });
});
