/** The lesson in a real browser with the real distribution: what a learner sees and does. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { OWN, openLessons } from "./support/lesson-page.mjs";

describe("the lesson", () => {
  let lessons;
  let lesson;
  before(async () => {
    lessons = await openLessons();
    lesson = await lessons.open();
  });
  after(() => lessons?.close());
  afterEach(async () => {
    await lesson.rest();
    assert.deepEqual(lesson.problems.splice(0), []);
  });

  it("says that Python is ready, and asks nobody but its own server", async () => {
    assert.equal(await lesson.page.locator("#status-text").innerText(), "Python is ready");
    const hosts = await lesson.page.evaluate(() =>
      performance.getEntriesByType("resource").map((entry) => new URL(entry.name).origin),
    );
    assert.deepEqual([...new Set(hosts)], [lessons.server.url]);
  });

  it("shows a data frame that somebody typed as a table", async () => {
    const code = 'import pandas as pd\npd.DataFrame({"city": ["Oslo", "Lima"], "people": [709037, 10092000]})';
    assert.equal(await lesson.run(OWN, code), "done");
    const table = lesson.output(OWN).getByRole("table");
    assert.deepEqual(await table.getByRole("columnheader").allInnerTexts(), ["city", "people"]);
    assert.deepEqual(await table.getByRole("rowheader").allInnerTexts(), ["0", "1"]);
    assert.deepEqual(await table.getByRole("cell").allInnerTexts().then(withoutEmpty), [
      "Oslo",
      "709037",
      "Lima",
      "10092000",
    ]);
    const region = lesson.output(OWN).getByRole("region", { name: `Table, 2 rows, 2 columns, cell ${OWN}` });
    await region.focus();
    assert.equal(await lesson.focused(), `Table, 2 rows, 2 columns, cell ${OWN}`);
  });

  it("shows what was brought while packages came", async () => {
    const paths = lessons.server.log.map(({ path }) => path);
    assert.ok(
      paths.some((path) => path.includes("pandas-")),
      paths.join(" "),
    );
  });

  it("shows a figure as a picture that is not blank", async () => {
    const code = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2], linewidth=5)\nplt.title('Zigzag')\nplt.show()";
    assert.equal(await lesson.run(OWN, code), "done");
    const picture = lesson.output(OWN).getByRole("img");
    assert.match(await picture.getAttribute("alt"), /\w/);
    const seen = await picture.evaluate(async (image) => {
      await image.decode();
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Map();
      for (let at = 0; at < data.length; at += 4) {
        const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
        colours.set(colour, (colours.get(colour) ?? 0) + 1);
      }
      return { width: image.naturalWidth, blue: colours.get("31,119,180") ?? 0, colours: colours.size };
    });
    assert.ok(seen.width >= 300, JSON.stringify(seen));
    assert.ok(seen.blue > 500 && seen.colours > 10, JSON.stringify(seen));
  });

  it("runs all its cells, goes on after the one with a mistake, and stops at a question", async () => {
    await lesson.page.getByRole("button", { name: "Run all" }).click();
    const answer = lesson.cell(8).getByRole("textbox", { name: "How old are you?" });
    await answer.waitFor({ timeout: 120_000 });
    assert.match(await lesson.text(1), /^Once round the Earth: 40074 km$/);
    assert.match(await lesson.text(3), /NameError: name 'nammes' is not defined. Did you mean: 'names'\?/);
    assert.match(await lesson.table(5), /rock\s+4\s+4879\s+9132\.75\s+12756/);
    assert.match(await lesson.table(7), /Neptune\s+1\.0/);
    await answer.fill("40");
    await answer.press("Enter");
    assert.equal(await lesson.ended(8), "done");
    assert.match(await lesson.text(8), /How old are you\? 40\s+Mercury\s+166\.0 years/);
    assert.equal(await lesson.ended(OWN), "done");
  });

  it("explains an error and marks its line, until the line is mended", async () => {
    assert.equal(await lesson.run(OWN, "first = 1\nsecond = frist + 1\nthird = 3"), "failed");
    const text = await lesson.text(OWN);
    assert.match(text, /^NameError: name 'frist' is not defined/);
    assert.match(text, /Python does not know the name frist/);
    assert.equal(await lesson.cell(OWN).locator(".cm-failed-line").innerText(), "second = frist + 1");
    await lesson.cell(OWN).getByText("Full traceback").click();
    const traceback = lesson.cell(OWN).getByRole("region", { name: "Full traceback" });
    assert.match(await traceback.innerText(), /File "cell 9", line 2, in <module>/);
    await lesson.cell(OWN).getByRole("button", { name: "Line 2: second = frist + 1" }).click();
    assert.equal(await lesson.focused(), `Python code, cell ${OWN}`);
    await lesson.page.keyboard.press("End");
    await lesson.page.keyboard.type("0");
    assert.equal(await lesson.cell(OWN).locator(".cm-failed-line").count(), 0);
  });

  it("marks the line of code that Python cannot read", async () => {
    assert.equal(await lesson.run(OWN, 'a = 1\nprint("a"'), "failed");
    assert.match(await lesson.text(OWN), /^SyntaxError: '\(' was never closed/);
    assert.equal(await lesson.cell(OWN).locator(".cm-failed-line").innerText(), 'print("a"');
  });

  it("has a sentence of advice for the mistakes that everybody makes", async () => {
    const mistakes = {
      "if 1 > 0\n    print(1)": [
        /^SyntaxError/,
        "A line that begins with if, for, while, def or class ends in a colon.",
      ],
      "if True:\nprint(1)": [/^IndentationError/, "this line starts further right: four spaces"],
      "print('no end": [/^SyntaxError/, "Put the same quote at its end."],
      "'a' + 1": [/^TypeError/, "Text and numbers cannot be added."],
      "[1, 2] - 1": [/^TypeError/, "- does not work between a list and a whole number (int)."],
      "1 / 0": [/^ZeroDivisionError: division by zero/, "Nothing can be divided by zero."],
      "{'a': 1}['b']": [/^KeyError: 'b'/, "There is no entry or column called 'b'."],
      "[1, 2, 3][3]": [/^IndexError/, "The first one has the number 0"],
      "int('ten')": [/^ValueError/, "'ten' does not look like a whole number."],
      "'abc'.uper()": [/^AttributeError: .*Did you mean: 'upper'\?/, "A name that is near is in the message."],
      "import pandsa": [/^ModuleNotFoundError/, "There is no library called pandsa here."],
      "open('birds.csv')": [/^FileNotFoundError/, "Add the file to the page first"],
      "def f(): f()\nf()": [/^RecursionError/, "called itself again and again"],
    };
    for (const [code, [headline, advice]] of Object.entries(mistakes)) {
      assert.equal(await lesson.run(OWN, code), "failed", code);
      const text = await lesson.text(OWN);
      assert.match(text, headline);
      assert.ok(text.includes(advice), `${code}\n${text}`);
      assert.equal(await lesson.cell(OWN).locator(".cm-failed-line").count(), 1, code);
    }
  });

  it("points into the cell whose function failed", async () => {
    assert.equal(await lesson.run(1, "def half(of):\n    return of / 0\n"), "done");
    assert.equal(await lesson.run(OWN, "half(3)"), "failed");
    assert.equal(await lesson.cell(OWN).locator(".cm-failed-line").innerText(), "half(3)");
    await lesson.cell(OWN).getByRole("button", { name: "Line 2 of cell 1: return of / 0" }).click();
    assert.equal(await lesson.focused(), "Python code, cell 1");
    await lesson.cell(1).getByRole("button", { name: "Undo changes in cell 1" }).click();
  });

  it("tells stdout and stderr apart, in order, by more than colour", async () => {
    await lesson.run(OWN, 'import sys\nprint("one")\nprint("two", file=sys.stderr)\nprint("three")');
    assert.match(await lesson.text(OWN), /^one\s+Warning or error text\s+two\s+three$/);
  });

  it("streams while the code runs, and stops an endless loop with its variables kept", async () => {
    await lesson.type(OWN, 'kept = 41\nprint("begun")\nwhile True:\n    kept = 42');
    await lesson.press(OWN, "Run");
    await lesson.output(OWN).getByText("begun").waitFor();
    assert.equal(await lesson.cell(OWN).getAttribute("data-state"), "running");
    assert.equal(
      await lesson.cell(OWN).getByRole("button", { name: "Run cell 9" }).getAttribute("aria-disabled"),
      "true",
    );
    await lesson.press(OWN, "Stop");
    assert.equal(await lesson.ended(OWN), "idle");
    assert.match(await lesson.text(OWN), /^begun\s+Stopped\.$/);
    await lesson.run(OWN, "kept");
    assert.equal(await lesson.text(OWN), "42");
  });

  it("stops a loop that prints without end", async () => {
    await lesson.type(OWN, 'while True:\n    print("again and again")');
    await lesson.press(OWN, "Run");
    await lesson.output(OWN).getByRole("button", { name: "Show all" }).waitFor();
    await lesson.press(OWN, "Stop");
    assert.equal(await lesson.ended(OWN), "idle");
    assert.match(await lesson.text(OWN), /Stopped\.$/);
  });

  it("takes a cell that waits out of the queue", async () => {
    await lesson.type(OWN, "while True:\n    pass");
    await lesson.press(OWN, "Run");
    await lesson.cellState(OWN, "running");
    await lesson.press(2, "Run");
    await lesson.cellState(2, "waiting");
    await lesson.press(2, "Stop");
    await lesson.press(OWN, "Stop");
    assert.equal(await lesson.ended(OWN), "idle");
    assert.equal(await lesson.ended(2), "idle");
  });

  it("asks what input() asks, and the question can be stopped", async () => {
    await lesson.type(OWN, 'name = input("Your name? ")\nprint("Hello", name)');
    await lesson.press(OWN, "Run");
    const field = lesson.cell(OWN).getByRole("textbox", { name: "Your name?" });
    await field.waitFor();
    await lesson.page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
    await lesson.page.keyboard.type("Åsa 🪐");
    await lesson.page.keyboard.press("Enter");
    assert.equal(await lesson.ended(OWN), "done");
    assert.match(await lesson.text(OWN), /^Your name\? Åsa 🪐\s+Hello Åsa 🪐$/);
    await lesson.press(OWN, "Run");
    await field.waitFor();
    await lesson.press(OWN, "Stop");
    assert.equal(await lesson.ended(OWN), "idle");
    assert.equal(await field.count(), 0);
    await lesson.run(OWN, "name");
    assert.equal(await lesson.text(OWN), "'Åsa 🪐'");
  });

  it("shows the beginning of 100,000 lines at once, and all of them on request", async () => {
    await lesson.run(OWN, "for number in range(100_000):\n    print(number)");
    const output = lesson.output(OWN);
    await output.getByText("The first 200 lines of 100,000.").waitFor();
    assert.equal((await output.locator("pre").innerText()).trim().split("\n").length, 200);
    await output.getByRole("button", { name: "Show all" }).click();
    const region = output.getByRole("region", { name: "All 100,000 lines" });
    const lines = (await region.evaluate((element) => element.textContent)).trimEnd().split("\n");
    assert.equal(lines.length, 100_000);
    assert.equal(lines[99_999], "99999");
    const took = await region.evaluate(async (element) => {
      const begin = performance.now();
      element.scrollTop = element.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return performance.now() - begin;
    });
    assert.ok(took < 1000, `scrolling to the end took ${took} ms`);
  });

  it("draws a progress bar made of carriage returns on one line", async () => {
    await lesson.run(OWN, 'for n in range(3):\n    print("\\r", n * 50, "%", end="")\nprint()\nprint("end")');
    assert.deepEqual(
      (await lesson.text(OWN)).split("\n").map((line) => line.trim()),
      ["100 %", "end"],
    );
  });

  it("lets nothing run that displayed HTML brings with it", async () => {
    const html =
      '<b>kept</b><script>parent.hit = top.hit = 1</script><img src="x" onerror="window.hit = 1">' +
      '<a href="javascript:hit=1" onclick="hit=1">link</a><svg onload="window.hit = 1"></svg>' +
      '<iframe srcdoc="<script>parent.hit=1</script>"></iframe><form action="/"><input name="q"></form>' +
      "<style>:host { position: fixed !important; inset: 0 !important } p { color: red }</style>";
    await lesson.run(
      OWN,
      `class Hostile:\n    def _repr_html_(self):\n        return ${JSON.stringify(html)}\nHostile()`,
    );
    const host = lesson.output(OWN).locator(".rich-host");
    const shown = await host.evaluate((element) => element.shadowRoot.innerHTML);
    assert.match(shown, /<b>kept<\/b><img alt=""><a>link<\/a>/);
    assert.doesNotMatch(shown, /script|onerror|onclick|onload|iframe|form|input|svg/);
    await lesson.page.waitForTimeout(200);
    assert.equal(await lesson.page.evaluate(() => "hit" in window), false);
    const inside = await lesson.page.evaluate(() => {
      const outer = document.querySelectorAll(".rich");
      const box = outer[outer.length - 1].getBoundingClientRect();
      return box.height < innerHeight && document.elementFromPoint(5, 5)?.closest(".toolbar") !== null;
    });
    assert.ok(inside, "what is displayed must not cover the page");
    // Chromium already complains when such HTML is parsed, though nothing of it gets into the page.
    assert.ok(lesson.problems.splice(0).every((problem) => problem.includes("The action has been blocked")));
  });

  it("restarts after asking: variables are gone, text and files stay", async () => {
    await lesson.page.setInputFiles("#files-input", {
      name: "my birds.csv",
      mimeType: "text/csv",
      buffer: Buffer.from("bird,seen\nwren,3\nrook,12\n"),
    });
    await lesson.page.getByText('pd.read_csv("my birds.csv")').waitFor();
    assert.equal(await lesson.run(OWN, 'here = 1\nopen("my birds.csv").read()'), "done");
    assert.equal(await lesson.text(OWN), "'bird,seen\\nwren,3\\nrook,12\\n'");
    await lesson.page.getByRole("button", { name: "Restart", exact: true }).click();
    const dialog = lesson.page.getByRole("dialog", { name: "Restart Python?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await lesson.run(OWN, "here"), "done");
    await lesson.page.getByRole("button", { name: "Restart", exact: true }).click();
    await dialog.getByRole("button", { name: "Restart" }).click();
    await lesson.state("restarting");
    await lesson.state("ready");
    assert.ok(await lesson.output(OWN).evaluate((element) => element.classList.contains("outdated")));
    assert.equal(await lesson.run(OWN, "here"), "failed");
    assert.match(await lesson.text(OWN), /^NameError: name 'here' is not defined/);
    assert.equal(await lesson.run(OWN, 'open("my birds.csv").readline()'), "done");
    assert.equal(await lesson.text(OWN), "'bird,seen\\n'");
  });

  it("takes files that are dropped on the page, and removes them", async () => {
    const data = await lesson.page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["a,b\n1,2\n"], "dropped.csv", { type: "text/csv" }));
      return transfer;
    });
    await lesson.page.dispatchEvent("main", "dragover", { dataTransfer: data });
    assert.ok(await lesson.page.getByText("Drop to give the file to Python").isVisible());
    await lesson.page.dispatchEvent("main", "drop", { dataTransfer: data });
    await lesson.page.getByText('pd.read_csv("dropped.csv")').waitFor();
    await lesson.run(OWN, 'import pandas as pd\npd.read_csv("dropped.csv")');
    assert.match(await lesson.table(OWN), /a\s+b\s+0\s+1\s+2/);
    await lesson.page.getByRole("button", { name: "Remove dropped.csv" }).click();
    await lesson.page.locator("#announcer").getByText("dropped.csv is removed").waitFor({ state: "attached" });
    await lesson.run(OWN, 'import os\nos.path.exists("dropped.csv")');
    assert.equal(await lesson.text(OWN), "False");
  });

  it("says what happens once, for those who listen", async () => {
    await lesson.run(OWN, "print(1)\n6 * 7");
    const announcer = lesson.page.locator("#announcer");
    await announcer.getByText("Cell 9 is done. 42").waitFor({ state: "attached" });
    assert.equal(await announcer.getAttribute("role"), "status");
    assert.equal(await lesson.output(OWN).locator("[aria-live]").count(), 0);
  });

  it("keeps what was typed over a reload, and resets it after asking", async () => {
    await lesson.type(OWN, "mine = 'kept'");
    await lesson.page.reload();
    await lesson.state("ready");
    assert.equal(await lesson.editor(OWN).innerText(), "mine = 'kept'");
    await lesson.page.getByRole("button", { name: "Reset lesson" }).click();
    await lesson.page.getByRole("dialog").getByRole("button", { name: "Reset" }).click();
    await lesson
      .editor(OWN)
      .filter({ hasText: /^# Whatever you like/ })
      .waitFor();
    await lesson.page.reload();
    assert.match(await lesson.editor(OWN).innerText(), /^# Whatever you like/);
    await lesson.state("ready");
  });
});

describe("the lesson by keyboard alone", () => {
  let lessons;
  let lesson;
  before(async () => {
    lessons = await openLessons();
    lesson = await lessons.open();
  });
  after(() => lessons?.close());

  it("is walked with Tab from the first link through the editors, and none is a trap", async () => {
    const seen = [];
    await lesson.page.locator("body").evaluate((body) => body.focus());
    for (let step = 0; step < 12; step += 1) {
      await lesson.page.keyboard.press("Tab");
      seen.push(await lesson.focused());
    }
    assert.deepEqual(seen, [
      "Skip to the lesson",
      "Run all",
      "Restart",
      "Keys",
      "Run cell 1",
      "Python code, cell 1",
      "Run cell 2",
      "Python code, cell 2",
      "Run cell 3",
      "Python code, cell 3",
      "Run cell 4",
      "Python code, cell 4",
    ]);
    await lesson.page.keyboard.press("Shift+Tab");
    assert.equal(await lesson.focused(), "Run cell 4");
  });

  it("runs with Shift+Enter and goes on, with Ctrl+Enter and stays", async () => {
    await lesson.editor(1).focus();
    await lesson.page.keyboard.press("Control+Enter");
    assert.equal(await lesson.ended(1), "done");
    assert.equal(await lesson.focused(), "Python code, cell 1");
    await lesson.page.keyboard.press("Shift+Enter");
    assert.equal(await lesson.focused(), "Python code, cell 2");
    await lesson.page.keyboard.press("Shift+Enter");
    assert.equal(await lesson.focused(), "Python code, cell 3");
    assert.equal(await lesson.ended(2), "done");
    assert.match(await lesson.text(2), /Mars is 0\.53 Earths wide/);
  });

  it("lets Tab indent for those who choose it, and Escape then Tab leave", async () => {
    await lesson.page.getByRole("button", { name: "Keys" }).focus();
    await lesson.page.keyboard.press("Enter");
    const choice = lesson.page.getByRole("checkbox", { name: "Tab indents in the editor" });
    await choice.focus();
    await lesson.page.keyboard.press("Space");
    await lesson.page.keyboard.press("Escape");
    assert.equal(await lesson.focused(), "Keys");
    await lesson.editor(OWN).fill("x");
    await lesson.page.keyboard.press("Tab");
    assert.equal(await lesson.focused(), `Python code, cell ${OWN}`);
    assert.equal(await lesson.editor(OWN).innerText(), "    x");
    await lesson.page.keyboard.press("Escape");
    await lesson.page.keyboard.press("Tab");
    assert.notEqual(await lesson.focused(), `Python code, cell ${OWN}`);
  });
});

const withoutEmpty = (texts) => texts.filter((text) => text !== "");
