/** The learner's files in the lesson: given, read, written, downloaded, kept. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { OWN, openLessons, PATIENCE } from "./support/lesson-page.mjs";

describe("the lesson's files", { timeout: 600_000 }, () => {
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

  const file = (name) => lesson.page.locator(".file", { has: lesson.page.getByText(name, { exact: true }) });
  const give = (files) =>
    lesson.page.setInputFiles(
      "#files-input",
      Object.entries(files).map(([name, content]) => ({ name, mimeType: "", buffer: Buffer.from(content) })),
    );
  const saved = () => lesson.page.locator("#kept", { hasText: "Saved" }).waitFor({ timeout: PATIENCE });
  const removeAll = async () => {
    const buttons = lesson.page.locator(".file").getByRole("button", { name: /^Remove/ });
    while ((await buttons.count()) > 0) await buttons.first().click();
  };

  it("are on paper if there are any, and what only a screen can do is not", async () => {
    const [box, drop] = [lesson.page.locator("#files"), lesson.page.locator(".files-drop")];
    await lesson.page.emulateMedia({ media: "print" });
    try {
      assert.equal(await box.isVisible(), false);
      await give({ "printed.csv": "town,visits\nBern,3\n" });
      await file("printed.csv").waitFor();
      assert.equal(await drop.isVisible(), false);
    } finally {
      await lesson.page.emulateMedia({ media: null });
    }
    assert.ok(await drop.isVisible());
    await removeAll();
  });

  it("are listed with what reads them, whatever writes them", async () => {
    const latin = (text) => Buffer.from(text, "latin1");
    await give({
      "plain.csv": "town,visits\nBern,3\n",
      "spreadsheet.csv": latin("Stadt;Wert\nZürich;1,5\nGenève;-20,25\n"),
      "points.csv": "town;visits\nBern;3.5\n",
      "unicode.csv": Buffer.from("\ufeffStadt\tWert\nZürich\t1\n", "utf16le"),
      "tabs.tsv": "a\tb\n1\t2\n",
      "table.xlsx": "PK",
      "table.parquet": "PAR1",
      "rows.json": "[]",
      "all.zip": "PK",
      "notes.txt": "Grüße",
      "photo.jpg": Buffer.from([0xff, 0xd8, 0xff]),
    });
    const codes = {
      "plain.csv": 'pd.read_csv("plain.csv")',
      "spreadsheet.csv": 'pd.read_csv("spreadsheet.csv", sep=";", decimal=",", encoding="cp1252")',
      "points.csv": 'pd.read_csv("points.csv", sep=";")',
      "unicode.csv": 'pd.read_csv("unicode.csv", sep="\\t", encoding="utf-16")',
      "tabs.tsv": 'pd.read_csv("tabs.tsv", sep="\\t")',
      "table.xlsx": 'pd.read_excel("table.xlsx")',
      "table.parquet": 'pd.read_parquet("table.parquet")',
      "rows.json": 'pd.read_json("rows.json")',
      "all.zip": 'import zipfile; zipfile.ZipFile("all.zip").namelist()',
      "notes.txt": 'open("notes.txt").read()',
      "photo.jpg": 'open("photo.jpg", "rb").read()',
    };
    for (const [name, code] of Object.entries(codes)) await file(name).getByText(code, { exact: true }).waitFor();
    for (const [name, sum] of Object.entries({
      "spreadsheet.csv": "-18.75",
      "points.csv": "3.5",
      "unicode.csv": "1",
    })) {
      await lesson.run(OWN, `import pandas as pd\nprint(${codes[name]}.iloc[:, 1].sum())`);
      assert.equal(await lesson.text(OWN), sum);
    }
    await removeAll();
  });

  it("are given while Python runs, and the page says that it does not have them yet", async () => {
    await lesson.type(OWN, 'input("Go on?")\nopen("late.csv").read()');
    await lesson.press(OWN, "Run");
    const question = lesson.cell(OWN).getByRole("textbox", { name: "Go on?" });
    await question.waitFor();
    await give({ "late.csv": "a\n1\n" });
    await file("late.csv").getByText("Python gets it when it is free").waitFor();
    await question.press("Enter");
    assert.equal(await lesson.ended(OWN), "failed");
    await file("late.csv").getByText('pd.read_csv("late.csv")').waitFor();
    await lesson.run(OWN, 'open("late.csv").read()');
    assert.equal(await lesson.text(OWN), "'a\\n1\\n'");
    await removeAll();
  });

  it("may be folders, with files of one name in them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "taipan-folder-"));
    try {
      await mkdir(join(folder, "birds", "rare"), { recursive: true });
      await writeFile(join(folder, "birds", "seen.csv"), "wren");
      await writeFile(join(folder, "birds", ".hidden"), "");
      await writeFile(join(folder, "birds", "rare", "seen.csv"), "hoopoe");
      const devtools = await lessons.context.newCDPSession(lesson.page);
      const data = { items: [], files: [join(folder, "birds")], dragOperationsMask: 1 };
      await lesson.page.evaluate(() => scrollTo(0, 0));
      for (const type of ["dragEnter", "dragOver", "drop"]) {
        await devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
      }
      await file("birds/rare/seen.csv").getByText('pd.read_csv("birds/rare/seen.csv")').waitFor();
      assert.equal(await lesson.page.locator(".file").count(), 2);
      await lesson.run(OWN, 'open("birds/seen.csv").read() + open("birds/rare/seen.csv").read()');
      assert.equal(await lesson.text(OWN), "'wrenhoopoe'");
      await removeAll();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("are listed when Python has written them, can be downloaded, and go when Python removes them", async () => {
    await lesson.run(OWN, 'open("result.csv", "w").write("a,b\\n1,2\\n")\nopen(".settings", "w").write("x")');
    await file("result.csv").getByText('pd.read_csv("result.csv")').waitFor();
    assert.match(await file("result.csv").innerText(), /^result\.csv 8 B/);
    const [download] = await Promise.all([
      lesson.page.waitForEvent("download"),
      file("result.csv").getByRole("button", { name: "Download result.csv" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "result.csv");
    assert.equal(await readFile(await download.path(), "utf8"), "a,b\n1,2\n");
    await lesson.run(OWN, 'import os\nos.rename("result.csv", "other.csv")');
    await file("other.csv").waitFor();
    assert.equal(await lesson.page.locator(".file").count(), 1);
    await lesson.page.getByRole("button", { name: "Restart", exact: true }).click();
    await lesson.page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
    await lesson.state("restarting");
    await lesson.state("ready");
    assert.equal(await lesson.page.locator(".file").count(), 0);
  });

  it("stay when a run before them is undone", async () => {
    await lesson.run(OWN, 'open("written.csv", "w").write("1")');
    await give({ "given.csv": "a\n1\n" });
    await file("given.csv").getByText('pd.read_csv("given.csv")').waitFor();
    await file("written.csv").waitFor();
    await lesson.press(OWN, "Undo run of");
    await lesson.cellState(OWN, "undone");
    await lesson.run(OWN, "import os\nsorted(os.listdir())");
    assert.equal(await lesson.text(OWN), "['given.csv']");
    assert.equal(await lesson.page.locator(".file").count(), 1);
    await removeAll();
  });

  it("are there on the next visit, without a run too, and after a restart on that visit", async () => {
    await lesson.run(OWN, "1");
    await saved();
    await give({ "kept.csv": "a;b\n1;2\n" });
    await file("kept.csv").getByText('sep=";"').waitFor();
    await saved();
    await lesson.page.reload();
    await lesson.state("ready");
    await file("kept.csv").getByText('pd.read_csv("kept.csv", sep=";")').waitFor();
    await lesson.page.getByRole("button", { name: "Start fresh" }).click();
    await lesson.state("restarting");
    await lesson.state("ready");
    await lesson.run(OWN, 'open("kept.csv").read()');
    assert.equal(await lesson.text(OWN), "'a;b\\n1;2\\n'");
    await removeAll();
  });

  it("that cannot be read are named, with why", async () => {
    const folder = await mkdtemp(join(tmpdir(), "taipan-gone-"));
    try {
      const path = join(folder, "gone.csv");
      await writeFile(path, "a\n1\n");
      const picker = await lesson.page.evaluateHandle(() =>
        Object.assign(document.createElement("input"), { type: "file" }),
      );
      await picker.asElement().setInputFiles(path);
      await rm(path);
      const data = await lesson.page.evaluateHandle((input) => {
        const transfer = new DataTransfer();
        transfer.items.add(input.files[0]);
        transfer.items.add(new File(["a\n"], "there.csv"));
        return transfer;
      }, picker);
      await lesson.page.dispatchEvent("main", "drop", { dataTransfer: data });
      await file("there.csv").getByText("pd.read_csv").waitFor();
      const problem = await lesson.page.getByRole("alert").innerText();
      assert.match(problem, /^gone\.csv could not be added\. The browser cannot read it/);
      assert.equal(await lesson.page.locator(".file").count(), 1);
      await removeAll();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
