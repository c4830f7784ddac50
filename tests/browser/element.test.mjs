/** `<python-cell>` in Chromium, with the real distribution. */
// biome-ignore-all lint/performance/useDomNodeTextContent: what is tested is the text as it is read.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../scripts/common/chromium-flags.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { startServer } from "../../scripts/server.mjs";

const CHROMIUM = process.env.CHROME_PATH ?? "/usr/bin/chromium";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Cells</title>
<link rel="icon" href="data:,">
<style>body { margin: 1rem auto; max-width: 46rem; padding: 0 1rem; font-family: system-ui, sans-serif; }</style>
<main>
<h1>Cells</h1>
<python-cell index-url="/python/" id="first" label="First steps"><pre>
    import pandas as pd

    table = pd.DataFrame({"city": ["Oslo", "Rome"], "people": [709_037, 2_755_309]})
    print("rows:", len(table))
    table
</pre></python-cell>
<python-cell index-url="/python/" id="second">len(table) &lt; 3</python-cell>
<python-cell index-url="/python/" id="other" session="other" readonly>"table" in globals()</python-cell>
<python-cell index-url="/python/" id="wrong">def f(x):
    return 1 / x
f(0)</python-cell>
<python-cell index-url="/python/" id="asks">name = input("Your name? ")
print("Hello,", name)</python-cell>
<python-cell index-url="/nowhere/" id="lost" session="lost">1</python-cell>
</main>
<script type="module">
  import "/taipan/element.js";
  globalThis.events = [];
  for (const cell of document.querySelectorAll("python-cell")) {
    for (const type of ["run", "output", "error"]) {
      cell.addEventListener(type, ({ detail }) => events.push([cell.id, type, detail.code ?? detail.type ?? detail.message]));
    }
  }
  globalThis.isReady = true;
</script>
</html>
`;

/** A browser with the page in it. `problems` are uncaught errors. */
async function openCells(isolated) {
  const folder = await mkdtemp(join(tmpdir(), "taipan-element-"));
  await writeFile(join(folder, "index.html"), PAGE);
  const server = await startServer({
    roots: {
      "/": folder,
      "/taipan/": process.env.TAIPAN_DIST ?? join(root, "dist"),
      "/python/": distributionFolder("0.28.3"),
    },
    compress: false,
    isolated,
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => globalThis.isReady);
  return {
    server,
    page,
    problems,
    close: async () => {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a reader does with the cell of this id. */
function cellOf(page, id) {
  const host = page.locator(`#${id}`);
  const code = host.getByRole("textbox", { name: /code$/ });
  const run = host.getByRole("button", { name: /^Run/ });
  const state = host.getByRole("status");
  const ends = (pattern = /^Done/) =>
    page.waitForFunction(
      ([id, source]) =>
        new RegExp(source).test(document.getElementById(id).shadowRoot.querySelector(".state").textContent),
      [id, pattern.source],
    );
  return {
    code,
    run,
    stop: host.getByRole("button", { name: /^Stop/ }),
    state,
    output: host.locator(".output"),
    ends,
    /** Types code, runs it, and says how it ended. */
    does: async (text) => {
      await code.fill(text);
      await run.click();
      await ends(/^(Done|Did not|Stopped)/);
      return state.textContent();
    },
  };
}

describe("<python-cell>", { timeout: 240_000 }, () => {
  let cells;
  let server;
  let page;
  before(async () => {
    cells = await openCells(true);
    ({ server, page } = cells);
  });
  after(() => cells?.close());

  const cell = (id) => cellOf(page, id);
  const events = () => page.evaluate(() => globalThis.events.splice(0));

  it("takes its code from the page, without the page's indentation, and fetches nothing before it is run", async () => {
    assert.match(await cell("first").code.inputValue(), /^import pandas as pd\n\ntable = /);
    assert.equal(await cell("second").code.inputValue(), "len(table) < 3");
    assert.equal(await cell("first").code.getAttribute("rows"), "5");
    assert.ok(!server.log.some(({ path }) => path.startsWith("/python/") || path.endsWith(".wasm")));
  });

  it("runs with the button, shows text and tables, and says so", async () => {
    const first = cell("first");
    await first.run.click();
    await first.ends();
    assert.match(await first.output.innerText(), /rows: 2/);
    await first.output.getByRole("region", { name: /Table, 2 rows, 2 columns/ }).waitFor();
    assert.match(await first.output.getByRole("table").innerText(), /Oslo/);
    const seen = await events();
    assert.deepEqual(seen[0].slice(0, 2), ["first", "run"]);
    const kinds = new Set(seen.slice(1).map(([, type, what]) => `${type} ${what}`));
    assert.deepEqual([...kinds], ["output stdout", "output display"]);
  });

  it("shares the interpreter among cells, runs on Shift+Enter, and keeps other sessions apart", async () => {
    await cell("second").code.press("Shift+Enter");
    await cell("second").ends();
    assert.equal((await cell("second").output.innerText()).trim(), "True");
    await cell("other").code.press("Shift+Enter");
    await cell("other").ends();
    assert.equal((await cell("other").output.innerText()).trim(), "False");
    assert.equal(await cell("other").code.isEditable(), false);
  });

  it("indents the next line as the code asks for, and grows", async () => {
    const { code } = cell("second");
    await code.fill("for n in range(2):");
    await code.press("End");
    await code.press("Enter");
    await code.pressSequentially("print(n)");
    assert.equal(await code.inputValue(), "for n in range(2):\n    print(n)");
    assert.equal(await code.getAttribute("rows"), "2");
    const result = await page.evaluate(async () => (await document.getElementById("second").run()).outputs);
    assert.deepEqual(result, [{ type: "stdout", text: "0\n1\n" }]);
  });

  it("shows an error with its traceback, and tells it", async () => {
    await events();
    const wrong = cell("wrong");
    await wrong.run.click();
    await wrong.ends(/^Did not finish/);
    // Seen in the output, heard in the status.
    assert.equal(await wrong.state.textContent(), "Did not finish. ZeroDivisionError: division by zero");
    await wrong.output.getByText("Traceback", { exact: true }).click();
    assert.match(await wrong.output.getByRole("region", { name: "Traceback" }).innerText(), /line 2, in f/);
    assert.deepEqual(
      (await events()).map(([, type]) => type),
      ["run", "error"],
    );
  });

  it("asks the question of input() below the cell", async () => {
    const asks = cell("asks");
    await asks.run.click();
    await asks.output.getByRole("textbox", { name: "Your name?" }).fill("Ada");
    await asks.output.getByRole("button", { name: "Enter" }).click();
    await asks.ends();
    assert.match(await asks.output.innerText(), /Hello, Ada/);
    const focused = await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.textContent);
    assert.equal(focused, "Your name? Ada", "whoever uses the keyboard goes on from there");
  });

  it("takes a cell that waits out of the queue at once", async () => {
    const { code, run, stop, ends } = cell("second");
    await code.fill("while True: pass");
    await run.click();
    await ends(/^Running/);
    const waiting = cell("first");
    await waiting.run.click();
    await waiting.ends(/^Waiting/);
    await waiting.stop.click();
    await waiting.ends(/^Stopped/);
    assert.match(await cell("second").state.textContent(), /^Running/);
    await stop.click();
    await ends(/^Stopped/);
  });

  it("starts Python again after it has broken down, and says that what was defined is gone", async () => {
    const broken = cell("other");
    await page.evaluate(() =>
      document.getElementById("other").shadowRoot.querySelector("textarea").removeAttribute("readonly"),
    );
    assert.match(await broken.does("kept = 1\nimport ctypes\nctypes.string_at(0xfffffff0, 1024)"), /^Did not finish/);
    assert.match(await broken.output.innerText(), /broke down.*The next run starts Python again.*gone/s);
    assert.match(await broken.does("'kept' in globals()"), /^Done/);
    assert.equal((await broken.output.innerText()).trim(), "False");
  });

  it("lets displayed HTML fetch nothing", async () => {
    const html = `<style>@import "/leak/1"; @import url(/leak/2); p { background: url(/leak/3) } b { color: rgb(1, 2, 3) }
      @font-face { font-family: f; src: url(/leak/4) } p { font-family: f }
      i { --x: u\\72l("/leak/5"); background: var(--x); width: 9px; display: block }
      u { background: image-set("/leak/6" 1x) } s { background: url("data:image/gif;base64,R0lGODlhAQABAAAAACw=") }
      </style><p style="background: url(/leak/7)">p</p><p style="list-style: u\\72l(/leak/8); display: list-item">q</p>
      <p style="color: rgb(4, 5, 6)">r</p><b>b</b><i>i</i><u>u</u><s>s</s><img src="/leak/9">`;
    server.log.length = 0;
    const shown = cell("second");
    assert.match(
      await shown.does(`class Hostile:\n    def _repr_html_(self):\n        return """${html}"""\nHostile()`),
      /^Done/,
    );
    const colours = await shown.output.locator(".rich-host").evaluate((host) => {
      const style = (selector) => getComputedStyle(host.shadowRoot.querySelector(selector));
      return [style("b").color, style("p:last-of-type").color, style("s").backgroundImage.slice(0, 20)];
    });
    assert.deepEqual(colours, ["rgb(1, 2, 3)", "rgb(4, 5, 6)", 'url("data:image/gif;']);
    await page.evaluate(() => fetch("/after"));
    const paths = server.log.map(({ path }) => path);
    assert.ok(paths.includes("/after"));
    assert.deepEqual(
      paths.filter((path) => path.startsWith("/leak")),
      [],
    );
  });

  it("stops code that would run for ever, and goes on", async () => {
    const { code, run, stop, ends, output } = cell("second");
    await code.fill("while True: pass");
    await run.click();
    await ends(/^Running/);
    await stop.click();
    await ends(/^Stopped/);
    assert.equal(await output.locator(".problem").count(), 0);
    await code.fill("len(table)");
    await code.press("Control+Enter");
    await ends();
    assert.equal((await output.innerText()).trim(), "2");
  });

  it("says what to do where Python cannot be had, and tries again", async () => {
    const lost = cell("lost");
    await lost.run.click();
    await lost.ends(/^Did not finish/);
    assert.match(await lost.output.innerText(), /404/);
    await page.evaluate(() => document.getElementById("lost").setAttribute("index-url", "/python/"));
    await lost.run.click();
    await lost.ends();
    assert.equal((await lost.output.innerText()).trim(), "1");
  });

  it("can be made by a script", async () => {
    const value = await page.evaluate(async () => {
      const made = document.createElement("python-cell");
      made.setAttribute("index-url", "/python/");
      made.code = "len(table) + 40";
      document.body.append(made);
      const { value } = await made.run();
      const kept = made.code;
      made.remove();
      return [value, kept];
    });
    assert.deepEqual(value, [42, "len(table) + 40"]);
  });

  it("takes what a framework changes, goes on when it is moved, and ends its run when it is taken away", async () => {
    const seen = await page.evaluate(async () => {
      const make = (code) => {
        const cell = document.createElement("python-cell");
        cell.setAttribute("index-url", "/python/");
        cell.textContent = code;
        document.body.append(cell);
        return cell;
      };
      const inside = (cell, selector) => cell.shadowRoot.querySelector(selector);
      const output = (cell) => inside(cell, ".output").innerText;
      const named = make("1");
      named.setAttribute("label", "Other name");
      named.setAttribute("readonly", "");
      const names = [".cell", "textarea", ".primary"].map((one) => inside(named, one).getAttribute("aria-label"));
      const isReadOnly = inside(named, "textarea").readOnly;

      const started = (cell) => new Promise((resolve) => cell.addEventListener("output", resolve, { once: true }));
      const moved = make("print('begun')\nfor n in range(300_000): pass\nprint('ended')");
      const movedBegins = started(moved);
      const movedEnds = moved.run();
      await movedBegins;
      document.body.prepend(moved);
      await movedEnds;
      const endless = make("print('begun')\nwhile True: pass");
      const endlessBegins = started(endless);
      const endlessEnds = endless.run();
      await endlessBegins;
      endless.remove();
      const next = make("print('next')");
      await Promise.all([endlessEnds, next.run()]);
      const seen = { names, isReadOnly, moved: output(moved).trim(), next: output(next).trim() };
      for (const cell of [named, moved, next]) cell.remove();
      return seen;
    });
    assert.deepEqual(seen, {
      names: ["Other name", "Other name: code", "Run Other name"],
      isReadOnly: true,
      moved: "begun\nended",
      next: "next",
    });
  });

  it("shows no output of an earlier run beside what kept a run from beginning", async () => {
    const shown = await page.evaluate(async () => {
      const cell = document.createElement("python-cell");
      cell.setAttribute("index-url", "/python/");
      cell.code = "print('earlier')";
      document.body.append(cell);
      await cell.run();
      cell.setAttribute("session", "none-such");
      cell.setAttribute("packages", "no-such-package");
      await cell.run();
      const shown = cell.shadowRoot.querySelector(".output").innerText;
      cell.remove();
      return shown;
    });
    assert.match(shown, /no-such-package/);
    assert.doesNotMatch(shown, /earlier/);
  });

  it("breaks none of axe's rules, light and dark, wide and narrow, and nothing is cut off", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(axe);
    for (const [width, colorScheme] of [
      [1280, "light"],
      [375, "dark"],
    ]) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate((scheme) => (document.documentElement.style.colorScheme = scheme), colorScheme);
      const found = await page.evaluate(async () => {
        const { violations } = await axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      });
      assert.deepEqual(found, []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}`);
      if (process.env.SCREENSHOTS) {
        await page.screenshot({ path: join(process.env.SCREENSHOTS, `element-${width}.png`), fullPage: true });
      }
    }
    assert.deepEqual(cells.problems, []);
  });
});

describe("<python-cell> where memory cannot be shared", { timeout: 240_000 }, () => {
  let cells;
  before(async () => {
    cells = await openCells(false);
  });
  after(() => cells?.close());

  it("says that stopping has taken the variables, to cells that wait as well", async () => {
    const [first, second] = ["second", "wrong"].map((id) => cellOf(cells.page, id));
    assert.match(await first.does("kept = 1"), /^Done/);
    await first.code.fill("while True: pass");
    await first.run.click();
    await first.ends(/^Running/);
    await second.code.fill("kept");
    await second.run.click();
    await second.ends(/^Waiting/);
    await cells.page.waitForTimeout(300);
    await first.stop.click();
    await first.ends(/^Stopped/);
    assert.equal(await first.state.textContent(), "Stopped. Python was restarted: run the earlier cells again.");
    await second.ends(/^Did not finish/);
    assert.match(await second.output.innerText(), /restarted before it was this cell's turn.*run them again/s);
    assert.match(await second.does("'kept' in globals()"), /^Done/);
    assert.equal((await second.output.innerText()).trim(), "False");
    assert.deepEqual(cells.problems, []);
  });
});
