import assert from "node:assert/strict";
import { test } from "node:test";
import { heading, options } from "../../bench/options.mjs";
import { CHOICES } from "../../bench/pages/choices.js";
import { ANSWERS, loadersFor, pageOf, startsFrom } from "../../bench/pages.mjs";
import { summary } from "../../bench/statistics.mjs";
import { tabulate } from "../../bench/table.mjs";

const rejects = (args, message) => assert.throws(() => options(args), { name: "Problem", message });

test("the measurement is of numpy and pandas over localhost unless told otherwise", () => {
  const chosen = options([]);
  assert.equal(chosen.runs, 5);
  assert.equal(chosen.steps, "groupby");
  assert.equal("line" in chosen, false);
  assert.deepEqual(
    loadersFor("groupby").filter((name) => !chosen.loaders.includes(name)),
    ["stock-snapshot"],
  );
});

test("a line is megabits a second and milliseconds there and back", () => {
  assert.deepEqual(options(["--line", "20,40"]).line, { megabits: 20, roundTrip: 40 });
  assert.deepEqual(options(["--line", "1.5,0"]).line, { megabits: 1.5, roundTrip: 0 });
  for (const wrong of ["20", "20,", ",40", "0,40", "20,-40", "20,40,1", "fast", "", "1e9,40"]) {
    rejects(["--line", wrong], `--line ${wrong} is not a line.`);
  }
});

test("core only has Pyodide's own snapshot, and no image that makes itself", () => {
  const { loaders, steps } = options(["--core"]);
  assert.equal(steps, "core");
  assert.deepEqual(loaders, [
    "stock-worker",
    "stock-snapshot",
    "taipan",
    "taipan-prepared",
    "taipan-image",
    "taipan-baked",
  ]);
  rejects(["--core", "--only", "taipan-automatic"], "There is no loader called taipan-automatic with --core.");
  rejects(["--core", "--all"], "--core and --all are two measurements.");
});

test("what is measured with matplotlib ends with a figure, what is measured with everything begins like it", () => {
  const { steps, loaders } = options(["--figure"]);
  assert.equal(steps, "figure");
  assert.deepEqual(loaders, options([]).loaders);
  const [groupby, figure, all] = ["groupby", "figure", "all"].map((name) => CHOICES[name].steps);
  assert.deepEqual(figure.slice(0, groupby.length), groupby);
  assert.equal(figure.at(-1).name, "figure");
  assert.deepEqual(all.slice(0, figure.length), figure);
  assert.deepEqual(Object.keys(ANSWERS), Object.keys(CHOICES));
  assert.match(heading(options(["--figure"])), /numpy, pandas and matplotlib/);
  rejects(["--figure", "--all"], "--figure and --all are two measurements.");
});

test("of programs each one's own time is measured, with no package", () => {
  const { loaders, steps } = options(["--programs"]);
  assert.equal(steps, "programs");
  assert.deepEqual(loaders, ["stock-worker", "taipan", "taipan-image"]);
  assert.ok(CHOICES.programs.alone);
  assert.deepEqual(
    CHOICES.programs.steps.map(({ name }) => name),
    Object.keys(ANSWERS.programs),
  );
  assert.match(heading(options(["--programs"])), /programs, over localhost; each program's own time/);
  rejects(["--programs", "--only", "taipan-automatic"], "There is no loader called taipan-automatic with --programs.");
});

test("loaders are measured in the order in which they are named", () => {
  assert.deepEqual(options(["--only", "taipan,stock"]).loaders, ["taipan", "stock"]);
  rejects(["--only", "taipan,netscape"], "There is no loader called netscape.");
  rejects(["--only", ""], "There is no loader called .");
});

test("what is no option is refused with those that are", () => {
  for (const wrong of ["0", "-1", "1.5", "many", ""])
    rejects([`--runs=${wrong}`], `--runs ${wrong} is not a number of runs.`);
  assert.throws(() => options(["--lines", "20,40"]), { name: "Problem", next: /--line\b/ });
  assert.throws(() => options(["--line"]), { name: "Problem" });
});

test("the heading tells what was measured over what", () => {
  assert.match(heading(options(["--runs", "3"])), /of 3, numpy and pandas, over localhost;/);
  assert.match(heading(options(["--core", "--line", "20,40"])), /core only, over a line of 20 Mbit\/s and 40 ms;/);
});

test("a loader's page is told the steps, and an image is the one for them", () => {
  const url = "http://localhost:1";
  assert.equal(pageOf("taipan", "all", url), `${url}/bench/taipan.html?steps=all`);
  for (const steps of Object.keys(ANSWERS)) {
    const { searchParams } = new URL(pageOf("taipan-baked", steps, url));
    assert.equal(searchParams.get("image"), `/images/${steps}/python.image`);
    assert.equal(searchParams.get("steps"), steps);
  }
});

test("only loaders with an image must start from one, and one that is kept only on a second visit", () => {
  const from = (state) =>
    Object.fromEntries(
      loadersFor("groupby").flatMap((name) => (startsFrom(name, state) ? [[name, startsFrom(name, state)]] : [])),
    );
  assert.deepEqual(from("fresh"), { "taipan-baked": "address" });
  for (const state of ["again", "restarted"]) {
    assert.deepEqual(from(state), {
      "taipan-image": "name",
      "taipan-automatic": "automatic",
      "taipan-baked": "address",
    });
  }
});

test("a summary is of the numbers that are there", () => {
  assert.deepEqual(summary([4, 1, undefined, 3, Number.NaN, 2]), { median: 2.5, least: 1, most: 4, count: 4 });
  assert.deepEqual(summary([7]), { median: 7, least: 7, most: 7, count: 1 });
  assert.equal(summary([undefined]), undefined);
});

test("the table has what was measured, and ratios of ours to stock", () => {
  const visits = {
    fresh: {
      "stock-worker": [{ sum: 4000, bytes: 5e6 }],
      "taipan-baked": [
        { sum: 1000, bytes: 4e6, image: 3e6 },
        { sum: 3000, bytes: 4e6, image: 3e6 },
      ],
    },
  };
  const { text, summaries } = tabulate(visits);
  const rows = text.split("\n").map((row) => row.split(/ {2,}/).map((cell) => cell.trim()));
  assert.deepEqual(rows, [
    ["fresh", "stock-worker", "taipan-baked"],
    ["until first 1 + 1, s", "4.00 (4.00–4.00)", "2.00 (1.00–3.00)"],
    ["bytes moved, MB", "5.0 (5.0–5.0)", "4.0 (4.0–4.0)"],
    ["of them the image, MB", "–", "3.0 (3.0–3.0)"],
    [""],
    ["fresh, ratio to stock-worker", "taipan-baked"],
    ["until first 1 + 1", "0.50"],
    ["bytes moved", "0.80"],
  ]);
  assert.equal(summaries.fresh.sum["taipan-baked"].median, 2000);
});
