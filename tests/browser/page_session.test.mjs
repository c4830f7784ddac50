/** The lesson's Python from one visit to the next, and runs that are undone. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openLessons, PATIENCE } from "./support/lesson-page.mjs";

describe("the lesson's Python", { timeout: 600_000 }, () => {
  let lessons;
  before(async () => {
    lessons = await openLessons();
  });
  after(() => lessons?.close());

  const saved = (lesson) => lesson.page.locator("#kept", { hasText: "Saved" }).waitFor({ timeout: PATIENCE });

  it("is there again when the learner comes back, and is left behind on request", async () => {
    const first = await lessons.open();
    assert.equal(await first.run(1, "diameter = 6792\nimport six"), "done");
    await saved(first);
    await first.page.close();

    const second = await lessons.open();
    assert.equal(await second.page.locator("#status-text").innerText(), "Restored from last visit");
    assert.equal(await second.run(9, "print(diameter, six.__name__)"), "done");
    assert.equal(await second.text(9), "6792 six");
    assert.equal(await second.page.getByRole("button", { name: "Start fresh" }).isVisible(), false);
    assert.deepEqual(second.problems, []);
    await second.page.close();

    const third = await lessons.open();
    await third.page.getByRole("button", { name: "Start fresh" }).click();
    await third.state("ready");
    assert.equal(await third.page.locator("#status-text").innerText(), "Python is ready");
    assert.equal(await third.run(9, "print(diameter)"), "failed");
    assert.match(await third.text(9), /NameError/);
    await third.page.close();
  });

  it("starts from the beginning, and says so, when what was saved does not fit any more", async () => {
    const first = await lessons.open();
    await first.run(1, "diameter = 1");
    await saved(first);
    // As another release of the page would find it.
    await first.page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const change = async (directory) => {
        for await (const handle of directory.values()) {
          if (handle.kind === "directory") await change(handle);
          else {
            const file = await handle.getFile();
            const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
            if (String.fromCharCode(...head.subarray(1, 7)) !== "TAIPAN") continue;
            const writable = await handle.createWritable({ keepExistingData: true });
            await writable.write({ type: "write", position: 8, data: new Uint8Array([99]) });
            await writable.close();
          }
        }
      };
      await change(folder);
    });
    await first.page.close();
    const second = await lessons.open();
    assert.match(await second.page.locator("#status-text").innerText(), /do not fit this version of the page/);
    assert.equal(await second.run(9, "1 + 1"), "done");
    await second.page.close();
    const third = await lessons.open();
    assert.doesNotMatch(await third.page.locator("#status-text").innerText(), /do not fit/);
    await third.page.close();
  });

  it("says why variables cannot be kept", async () => {
    const lesson = await lessons.open();
    await lesson.run(9, "import js\nthing = js.Object.new()");
    const kept = lesson.page.locator("#kept", { hasText: "Not saved" });
    await kept.waitFor({ timeout: PATIENCE });
    assert.match(await kept.getAttribute("title"), /thing/);
    await lesson.page.close();
  });

  for (const [what, query] of [
    ["goes back to before a cell was run; what ran after it is undone too", ""],
    ["goes back with Pyodide 314, too", "?indexURL=/python/314.0.7/"],
  ]) {
    it(what, async () => {
      const lesson = await lessons.open({ query });
      await lesson.run(1, "values = [1]");
      await lesson.run(2, "values.append(2)\nvalues");
      await lesson.run(4, "values.append(3)\nvalues");
      assert.equal(await lesson.text(4), "[1, 2, 3]");
      const undo = lesson.cell(2).getByRole("button", { name: "Undo run of cell 2" });
      await undo.focus();
      await lesson.page.keyboard.press("Enter");
      assert.equal(await lesson.cellState(2, "undone"), "undone");
      assert.equal(await lesson.cellState(4, "undone"), "undone");
      assert.equal(await lesson.cellState(1, "done"), "done");
      assert.equal(await lesson.focused(), "Run cell 2");
      await lesson.page
        .locator("#announcer", {
          hasText: "Cell 2 is undone. Python is as it was before it ran. So is what ran after it: cell 4.",
        })
        .waitFor();
      assert.equal(await undo.isVisible(), false);
      await lesson.run(9, "values");
      assert.equal(await lesson.text(9), "[1]");
      await lesson.press(9, "Undo run of");
      await lesson.press(1, "Undo run of");
      await lesson.run(9, "values");
      assert.match(await lesson.text(9), /NameError/);
      assert.deepEqual(lesson.problems, []);
      await lesson.page.close();
    });
  }

  it("lets the last of two tabs win, and damages nothing", async () => {
    const tabs = [await lessons.open(), await lessons.open()];
    await Promise.all(tabs.map((tab, index) => tab.run(1, `tab = ${index}`)));
    await Promise.all(tabs.map(saved));
    await tabs[0].run(2, "tab = 'last'");
    await saved(tabs[0]);
    for (const tab of tabs) await tab.page.close();
    const later = await lessons.open();
    await later.run(9, "tab");
    assert.equal(await later.text(9), "'last'");
    await later.page.close();
  });
});
