/** What the lesson shows of programs that put out much, or what a page cannot show as it is. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { OWN, openLessons, PATIENCE } from "./support/lesson-page.mjs";

describe("the lesson's output", { timeout: 600_000 }, () => {
  let lessons;
  let lesson;
  before(async () => {
    lessons = await openLessons();
    lesson = await lessons.open();
  });
  after(() => lessons?.close());
  afterEach(async () => {
    await lesson.rest();
    lesson.problems.length = 0;
  });

  const note = () => lesson.output(OWN).locator(".stream-note");
  const stream = () => lesson.output(OWN).locator("pre").textContent();

  it("draws a progress bar up to its end, however often it is drawn", async () => {
    await lesson.run(
      OWN,
      `import sys
for n in range(3001):
    sys.stderr.write("\\r%3d%%|%s| %d/3000" % (n / 30, "#" * (n // 60), n))
    sys.stderr.flush()`,
    );
    assert.equal(await stream(), `100%|${"#".repeat(50)}| 3000/3000`);
    assert.equal(await note().count(), 0);
  });

  it("draws it behind many lines, and keeps only its last form of those that are not shown", async () => {
    await lesson.run(
      OWN,
      `for n in range(250): print("line", n)
for n in range(1000): print("\\rstep", n, "." * 60, end="")`,
    );
    assert.match(await note().innerText(), /^The first 200 lines of 250\./);
    await note().getByRole("button", { name: "Show all" }).click();
    const lines = (await stream()).split("\n");
    assert.deepEqual([lines.length, lines[249], lines[250]], [251, "line 249", `step 999 ${".".repeat(60)}`]);
  });

  it("writes over a line that stands where a block of text is full", async () => {
    await lesson.run(
      OWN,
      `for n in range(300): print("." * 66)
for n in range(100): print("\\rstep", n, end="")
print()
print("end")`,
    );
    const end = note().getByRole("button", { name: "Show all" });
    await end.click();
    const lines = (await stream()).trimEnd().split("\n");
    assert.deepEqual(lines.slice(-3), [".".repeat(66), "step 99", "end"]);
  });

  it("leaves out what only a terminal obeys, in pieces too", async () => {
    await lesson.run(
      OWN,
      `import sys, time
print("\\x1b[1;31mred\\x1b[0m \\x1b]8;;https://example.org\\x1b\\\\link\\x1b]8;;\\x1b\\\\ \\x1b[?25l\\x1b(Bend")
for piece in ["a", "\\x1b", "[3", "1m", "b", "\\x1b]0;ti", "tle\\x07c\\n"]:
    sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.1)`,
    );
    assert.equal(await stream(), "red link end\nabc\n");
  });

  it("says how much it shows of one long line", async () => {
    await lesson.run(OWN, 'print("x" * 30_000_000)');
    assert.match(await note().innerText(), /^The first 40,000 characters of 30,000,00[01]\./);
    await note().getByRole("button", { name: "Show all" }).click();
    const shown = await lesson
      .output(OWN)
      .locator("pre")
      .evaluate((element) => element.textContent.length);
    assert.equal(shown, 20_040_000);
    assert.match(await note().innerText(), /too much to keep/);
  });

  it("shows the beginning of a value that is long", async () => {
    await lesson.run(OWN, "list(range(300_000))");
    assert.match(await note().innerText(), /^The first 40,000 characters of 2,/);
    assert.match(await stream(), /^\[0, 1, 2, /);
    await lesson.run(OWN, '"a" * 100');
    assert.equal(await lesson.text(OWN), `'${"a".repeat(100)}'`);
  });

  it("shows the text of what takes scripts, and says so", async () => {
    const shows = async (html) => {
      await lesson.run(
        OWN,
        `class Chart:\n    def _repr_html_(self): return ${JSON.stringify(html)}\n    def __repr__(self): return "Chart of birds"\nChart()`,
      );
      return lesson.text(OWN);
    };
    assert.match(
      await shows("<div id='chart'></div><style>p { color: red }</style><script>draw()</script>"),
      /^Chart of birds\s+Its HTML needs scripts, which do not run here\.$/,
    );
    assert.equal(await shows(""), "Chart of birds");
    await shows("<b>bold</b><script>draw()</script>");
    assert.equal(await lesson.output(OWN).locator(".rich-host").count(), 1);
  });

  it("shows Markdown and LaTeX as they are written, where else there is only a name", async () => {
    for (const [method, text] of [
      ["markdown", "# Title"],
      ["latex", "$x^2$"],
    ]) {
      const body = `    def _repr_${method}_(self): return ${JSON.stringify(text)}\n`;
      await lesson.run(OWN, `class Note:\n${body}Note()`);
      assert.equal(await lesson.text(OWN), text);
      await lesson.run(OWN, `class Note:\n${body}    def __repr__(self): return "a note"\nNote()`);
      assert.equal(await lesson.text(OWN), "a note");
    }
  });

  it("shows the beginning of a message that is long, to be read and to be heard", async () => {
    assert.equal(await lesson.run(OWN, 'raise ValueError("y" * 1_000_000)'), "failed");
    const headline = lesson.output(OWN).locator(".problem-headline");
    assert.match(await headline.innerText(), /^ValueError: y{900,1000}…$/);
    const announcer = lesson.page.locator("#announcer", { hasText: "did not finish" });
    await announcer.waitFor({ state: "attached" });
    assert.ok((await announcer.textContent()).length < 1000);
  });

  it("says where the mistake is in a file of the learner's", async () => {
    const imports = (name, code) =>
      lesson.run(OWN, `open("${name}.py", "w").write(${JSON.stringify(code)})\nimport ${name}`);
    assert.equal(await imports("unreadable", "x = 1\ndef f(:\n    pass"), "failed");
    assert.match(await lesson.text(OWN), /^SyntaxError: .*\s+It is in line 2 of unreadable\.py\. Python cannot read/);
    assert.equal(await imports("failing", "x = 1\n\nx / 0"), "failed");
    assert.match(await lesson.text(OWN), /^ZeroDivisionError: .*\s+It is in line 3 of failing\.py\. Nothing can be/);
  });

  it("has advice for what is no Python, or does not work in a page", async () => {
    const mistakes = {
      "import math\n%matplotlib inline": "is a command of Jupyter's and not Python",
      "!pip install six": "is a command of Jupyter's and not Python",
      'import pandas as pd\npd.read_csv("https://localhost/a.csv")': "Download the file yourself",
      "import threading\nthreading.Thread(target=print).start()": "In a web page Python cannot start threads.",
      'import subprocess\nsubprocess.run(["ls"])': "In a web page Python cannot start other programs.",
      'open("t.csv", "wb").write(b"Z\\xfcrich")\nopen("t.csv").read()': 'encoding="cp1252" is usual on Windows',
      'open("t.csv", "w").close()\npd.read_csv("t.csv")': "The file has nothing in it.",
      'open("t.csv", "w").write("a;b\\n1;2\\n1,5;2,5;3,6")\npd.read_csv("t.csv")': 'try sep=";"',
      'pd.read_excel("t.xlsx", engine="openpyxl")': 'await micropip.install("openpyxl")',
      'pd.DataFrame({"a": [1]}).to_parquet("t.parquet")': "This takes another library",
    };
    for (const [code, advice] of Object.entries(mistakes)) {
      assert.equal(await lesson.run(OWN, code), "failed", code);
      const text = await lesson.text(OWN);
      assert.ok(text.includes(advice), `${code}\n${text}`);
    }
  });

  it("prints all of a table, and no buttons", async () => {
    await lesson.run(OWN, 'import pandas as pd\npd.DataFrame({"n": range(60)})');
    await lesson.page.emulateMedia({ media: "print" });
    const table = lesson.output(OWN).locator(".rich");
    const heights = await table.evaluate((box) => [box.clientHeight, box.firstElementChild.clientHeight]);
    const buttons = await lesson.page.locator("button:visible").allInnerTexts();
    await lesson.page.emulateMedia({ media: null });
    assert.ok(heights[0] >= heights[1] && heights[1] > 1000, String(heights));
    assert.deepEqual(buttons, []);
  });

  it("says that memory has run out, whether or not Python goes on", async () => {
    const code = "kept = []\ntry:\n    while True: kept.append(bytearray(10_000_000))\nexcept MemoryError:\n";
    assert.equal(await lesson.run(OWN, `${code}    while True: kept.append([1] * 1000)`), "failed");
    assert.match(await lesson.text(OWN), /^(MemoryError|Python has run out of memory and broke down)\s/);
    const breaks = lesson.cell(OWN).getByRole("button", { name: "Restart Python" });
    if (await breaks.isVisible()) await breaks.click();
    await lesson.page.locator('#status[data-state="ready"]').waitFor({ timeout: PATIENCE });
    assert.equal(await lesson.run(OWN, "1 + 1"), "done");
  });
});

describe("a library that cannot be brought", () => {
  it("is not called unknown", async () => {
    const lessons = await openLessons({ hooks: [{ match: /\/six-[^/]*\.whl$/, status: 404 }] });
    try {
      const lesson = await lessons.open();
      assert.equal(await lesson.run(OWN, "def load():\n    import six\nload()"), "failed");
      const text = await lesson.text(OWN);
      assert.match(text, /The library six could not be brought to this page\./);
      assert.doesNotMatch(text, /spelling/);
    } finally {
      await lessons.close();
    }
  });

  it("has the page say what to do, when it is Python itself", async () => {
    const lessons = await openLessons({ hooks: [{ match: "pyodide-lock.json", refuse: true }] });
    try {
      const lesson = await lessons.open({ ready: false });
      await lesson.state("failed");
      const status = await lesson.page.locator("#status-text").innerText();
      assert.match(status, /^Python did not start: .*pyodide-lock\.json .*\. Check the connection/);
      await lesson.page.setViewportSize({ width: 375, height: 800 });
      const cut = await lesson.page.locator("#status-text").evaluate((text) => text.scrollWidth - text.clientWidth);
      assert.ok(cut <= 0, `${cut} pixels of what went wrong cannot be read`);
    } finally {
      await lessons.close();
    }
  });
});
