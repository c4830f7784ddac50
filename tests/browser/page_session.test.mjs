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
    assert.equal(await second.page.locator("#status-text").innerText(), "Restored as last saved");
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
    assert.match(await kept.innerText(), /^Not saved: .*thing/);
    await lesson.page.locator("#announcer", { hasText: /^Your variables are not saved\. .*thing/ }).waitFor();
    await lesson.page.close();
  });

  it("is kept when what restoring it takes cannot be loaded, and nothing is saved over it", async () => {
    const { context } = lessons;
    const address = "**/taipan_web_image*.wasm";
    const first = await lessons.open();
    await first.run(1, "kept = 'of the first visit'");
    await saved(first);
    await first.page.close();

    await context.route(address, (route) => route.fulfill({ status: 503 }));
    const second = await lessons.open();
    const status = second.page.locator("#status-text");
    assert.match(await status.innerText(), /could not be loaded\. Load this page again to have them/);
    assert.equal(await second.run(9, "kept = 'of the second'"), "done");
    await second.page.waitForTimeout(4000);
    assert.match(await status.innerText(), /until then nothing is saved/);
    await second.page.close();

    // What fails once is tried again.
    await context.unroute(address);
    let requests = 0;
    await context.route(address, (route) => (requests++ < 2 ? route.fulfill({ status: 503 }) : route.continue()));
    const third = await lessons.open();
    assert.equal(await third.page.locator("#status-text").innerText(), "Restored as last saved");
    await third.run(9, "kept");
    assert.equal(await third.text(9), "'of the first visit'");
    await saved(third);
    await third.page.close();

    await context.unroute(address);
    await context.route(address, (route) => route.abort());
    const fourth = await lessons.open();
    await fourth.page.getByRole("button", { name: "Start fresh" }).click();
    await fourth.state("restarting");
    await fourth.state("ready");
    await context.unroute(address);
    await fourth.run(1, "kept = 'of the fourth'");
    await saved(fourth);
    await fourth.page.close();
    const fifth = await lessons.open();
    await fifth.run(9, "kept");
    assert.equal(await fifth.text(9), "'of the fourth'");
    await fifth.page.close();
  });

  it("is started again, with the variables that were saved last, when it has broken down", async () => {
    const lesson = await lessons.open();
    await lesson.run(1, "kept = 5");
    await saved(lesson);
    const crash = "import ctypes\nctypes.string_at(0xfffffff0, 1024)";
    assert.equal(await lesson.run(9, crash), "failed");
    await lesson.state("broken");
    assert.match(await lesson.page.locator("#status-text").innerText(), /^Python cannot go on: .*broke down/);
    assert.equal(await lesson.run(2, "kept"), "failed");
    await lesson.page.getByRole("button", { name: "Try again" }).click();
    await lesson.state("ready");
    assert.ok(
      await lesson.output(1).evaluate((output) => output.childElementCount === 0 || output.matches(".outdated")),
    );
    assert.equal(await lesson.run(2, "kept"), "done");
    assert.equal(await lesson.text(2), "5");

    assert.equal(await lesson.run(9, crash), "failed");
    await lesson.state("broken");
    await lesson.cell(9).getByRole("button", { name: "Restart Python" }).click();
    await lesson.state("ready");
    assert.equal(await lesson.run(2, "kept"), "failed");
    assert.match(await lesson.text(2), /^NameError/);
    await lesson.page.close();
  });

  it("does not begin a run that is stopped before it could", async () => {
    const lesson = await lessons.open();
    await lesson.page.route("**/taipan_web_checkpoint*.wasm", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    await lesson.type(1, "begun = True\nwhile True: pass");
    await lesson.press(1, "Run");
    await lesson.state("running");
    await lesson.press(1, "Stop");
    assert.equal(await lesson.ended(1), "idle");
    await lesson.state("ready");
    assert.equal(await lesson.cell(1).getByRole("button", { name: "Undo run of cell 1" }).isVisible(), false);
    await lesson.run(9, "'begun' in globals()");
    assert.equal(await lesson.text(9), "False");
    await lesson.page.close();
  });

  it("says that a run cannot be undone any more, and goes on saving", async () => {
    const lesson = await lessons.open();
    for (const cell of [1, 2, 4, 9]) {
      assert.equal(await lesson.run(cell, "import os\ndata = os.urandom(90_000_000)"), "done");
    }
    const undo = lesson.cell(1).getByRole("button", { name: "Undo run of cell 1" });
    await undo.focus();
    await lesson.page.keyboard.press("Enter");
    const sentence = "This run cannot be undone any more.";
    await lesson.cell(1).getByText(sentence).waitFor();
    assert.equal(await undo.isVisible(), false);
    assert.equal(await lesson.focused(), "Run cell 1");
    await lesson.page.locator("#announcer", { hasText: `Cell 1: ${sentence}` }).waitFor();
    await lesson.page.locator("#kept", { hasText: /Saved|Not saved/ }).waitFor({ timeout: PATIENCE });
    assert.equal(await lesson.run(4, "len(data)"), "done");
    await lesson.press(4, "Undo run of");
    assert.equal(await lesson.cellState(4, "undone"), "undone");
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
