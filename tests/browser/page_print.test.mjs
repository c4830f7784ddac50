/** The lesson on paper. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { OWN, openLessons } from "./support/lesson-page.mjs";

describe("the lesson on paper", () => {
  let lessons;
  let lesson;
  before(async () => {
    lessons = await openLessons();
    lesson = await lessons.open({ viewport: { width: 700, height: 900 } });
  });
  after(() => lessons?.close());

  /** Of the cell at the end: how high its bar is, and by how much its code is wider than what is seen of it. */
  const layout = () =>
    lesson.cell(OWN).evaluate((cell) => {
      const code = cell.querySelector(".cm-scroller");
      return {
        bar: cell.querySelector(".cell-bar").getBoundingClientRect().height,
        hidden: code.scrollWidth - code.clientWidth,
      };
    });

  it("has all of every line, and no room for buttons that are not there", async () => {
    assert.equal(await lesson.run(OWN, `numbers = [${"1, ".repeat(100)}]\nlen(numbers)`), "done");
    const screen = await layout();
    assert.ok(screen.hidden > 100, "on the screen one scrolls");
    await lesson.page.emulateMedia({ media: "print" });
    const paper = await layout();
    assert.equal(paper.hidden, 0);
    assert.ok(paper.bar < screen.bar - 10, `${paper.bar} of ${screen.bar} pixels`);
    assert.match(await lesson.text(OWN), /100/);
    await lesson.page.emulateMedia({ media: null });
    assert.deepEqual(await layout(), screen);
  });
});
