/** The lesson for everybody: rules of accessibility, light and dark, small screens, calm layout. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { OWN, openLessons } from "./support/lesson-page.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Every kind of output at once. */
const EVERYTHING = `import sys, pandas as pd, matplotlib.pyplot as plt
print("plain")
print("a warning", file=sys.stderr)
display(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
plt.plot([1, 2])
plt.show()
input("A question? ")
1 / 0`;

/** What axe finds, a line for each element. */
async function violations(page) {
  await page.evaluate(AXE);
  const results = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")} ${node.any[0]?.message ?? ""}`),
  );
}

let lessons;
before(async () => {
  lessons = await openLessons();
});
after(() => lessons?.close());

for (const colorScheme of ["light", "dark"]) {
  describe(`in ${colorScheme} colours`, () => {
    let lesson;
    before(async () => {
      lesson = await lessons.open({ colorScheme });
    });
    after(() => lesson?.page.close());

    it("breaks no rule as it is", async () => {
      assert.deepEqual(await violations(lesson.page), []);
    });

    it("breaks no rule with every kind of output, while it asks and after", async () => {
      await lesson.type(OWN, EVERYTHING);
      await lesson.press(OWN, "Run");
      const field = lesson.cell(OWN).getByRole("textbox", { name: "A question?" });
      await field.waitFor({ timeout: 60_000 });
      assert.deepEqual(await violations(lesson.page), []);
      await field.press("Enter");
      assert.equal(await lesson.ended(OWN), "failed");
      await lesson.cell(OWN).getByText("Full traceback").click();
      assert.match(await lesson.text(OWN), /ZeroDivisionError: division by zero/);
      assert.deepEqual(await violations(lesson.page), []);
    });

    it("breaks no rule in its dialogs, with files, and after a restart", async () => {
      await lesson.page.setInputFiles("#files-input", {
        name: "a.csv",
        mimeType: "text/csv",
        buffer: Buffer.from("a\n"),
      });
      await lesson.page.getByText('pd.read_csv("a.csv")').waitFor();
      await lesson.page.getByRole("button", { name: "Keys" }).click();
      assert.deepEqual(await violations(lesson.page), []);
      await lesson.page.keyboard.press("Escape");
      await lesson.page.getByRole("button", { name: "Restart", exact: true }).click();
      assert.deepEqual(await violations(lesson.page), []);
      await lesson.page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
      await lesson.state("restarting");
      await lesson.state("ready");
      assert.equal(await lesson.page.locator("#files-problem").textContent(), "");
      assert.deepEqual(await violations(lesson.page), []);
    });
  });
}

describe("on a small screen", () => {
  for (const width of [320, 360, 375]) {
    it(`of ${width} pixels nothing is cut off, and wide things scroll by themselves`, async () => {
      const lesson = await lessons.open({ viewport: { width, height: 740 } });
      const wide = 'import pandas as pd\npd.DataFrame([range(20)], columns=[f"column {n}" for n in range(20)])';
      assert.equal(await lesson.run(OWN, wide), "done");
      const sizes = await lesson.page.evaluate(() => {
        const rich = [...document.querySelectorAll(".rich")].at(-1);
        const outside = [...document.querySelectorAll("button, h1, h2, p, .cell")].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && !element.closest(".skip-link") && (box.right > innerWidth + 0.5 || box.left < -0.5);
        });
        return {
          page: document.documentElement.scrollWidth,
          window: innerWidth,
          tableScrolls: rich.scrollWidth > rich.clientWidth,
          outside: outside.map((element) => element.outerHTML.slice(0, 80)),
        };
      });
      assert.ok(sizes.page <= sizes.window, JSON.stringify(sizes));
      assert.deepEqual(sizes.outside, []);
      assert.ok(sizes.tableScrolls);
      await lesson.type(OWN, 'input("How old are you? ")');
      await lesson.press(OWN, "Run");
      const enter = lesson.cell(OWN).getByRole("button", { name: "Enter" });
      await enter.waitFor({ timeout: 60_000 });
      const question = await lesson.cell(OWN).locator(".question").boundingBox();
      const button = await enter.boundingBox();
      assert.ok(button.x + button.width <= question.x + question.width, JSON.stringify({ button, question }));
      await lesson.page.close();
    });
  }
});

describe("the layout", () => {
  it("does not move while the page and Python start", async () => {
    const page = await lessons.context.newPage();
    await page.addInitScript(() => {
      globalThis.shifts = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          globalThis.shifts.push({
            value: entry.value,
            of: entry.sources.map((source) => source.node?.className ?? ""),
          });
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(`${lessons.server.url}/`);
    await page.locator('#status[data-state="ready"]').waitFor({ timeout: 60_000 });
    const shifts = await page.evaluate(() => globalThis.shifts);
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    assert.ok(sum < 0.02, JSON.stringify(shifts));
    await page.close();
  });

  it("has nothing that moves by itself for those who ask for that", async () => {
    const lesson = await lessons.open();
    await lesson.page.emulateMedia({ reducedMotion: "reduce" });
    await lesson.type(OWN, "while True: pass");
    await lesson.press(OWN, "Run");
    await lesson.cellState(OWN, "running");
    const running = await lesson.page.evaluate(() => document.getAnimations().length);
    await lesson.press(OWN, "Stop");
    await lesson.ended(OWN);
    assert.equal(running, 0);
    await lesson.page.close();
  });
});
