/** The command `taipan bake`, with the real distribution in a real browser, and pages that start from what it made. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { startServer } from "../../cli/bake/server.mjs";
import { openPage } from "../../cli/browser.mjs";
import { EFFORTS } from "../../cli/compress.mjs";
import * as zstd from "../../cli/zstd.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { chromiumPath } from "../../scripts/setup/chromium.mjs";
import { openApiPage } from "../support/api-page.mjs";

const DISTRIBUTION = distributionFolder("0.28.3");
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

const PROGRAM = `
import six, asyncio
await asyncio.sleep(0)
greeting = "from the program"
print("the program ran")
`;

describe("taipan bake", { timeout: 600_000 }, () => {
  let folder;
  let browser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-bake-"));
    browser = await chromiumPath();
    await writeFile(join(folder, "warmup.py"), PROGRAM);
    await writeFile(join(folder, "broken.py"), "def f():\n    return {}['key']\nf()\n");
    await writeFile(join(folder, "holds.py"), "import js\nheld = js.Object.new()\nheld.x = 1\n");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs the command. */
  const taipan = (args, env = {}) =>
    new Promise((resolve) => {
      const tool = join(root, "cli", "taipan.mjs");
      const child = spawn(process.execPath, [tool, ...args], {
        cwd: folder,
        env: { ...process.env, CHROME_PATH: browser, ...env },
      });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text) => {
        stderr += text;
      });
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  const bake = (out, ...more) => taipan(["bake", "--out", out, "--compress", "fast", ...more]);

  describe("into a prepared folder", () => {
    let api;
    let lock;
    const readLock = async () => JSON.parse(await readFile(join(folder, "site", "pyodide-lock.json"), "utf8"));
    before(async () => {
      const prepared = await taipan([
        ...["prepare", "site", "--packages", "six,beautifulsoup4", "--compress", "none"],
        ...["--distribution", DISTRIBUTION],
      ]);
      assert.equal(prepared.code, 0, prepared.stderr);
      const { code, stdout, stderr } = await bake("site", "--packages", "beautifulsoup4", "--run", "warmup.py");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /the program ran/);
      assert.match(stdout, /indexURL/);
      lock = await readLock();
      api = await openApiPage({ python: join(folder, "site") });
    });
    after(() => api?.close());

    it("writes the image and its compressed forms, and names it in the lock file", async () => {
      const { file_name: file, size, sha256: hash } = lock.taipan.image;
      const image = await readFile(join(folder, "site", file));
      assert.deepEqual([image.length, sha256(image)], [size, hash]);
      assert.match(file, new RegExp(`^files/${hash.slice(0, 16)}/`));
      assert.ok(brotliDecompressSync(await readFile(join(folder, "site", `${file}.br`))).equals(image));
      assert.ok((await zstd.decompress(await readFile(join(folder, "site", `${file}.zst`)))).equals(image));
      assert.ok(gunzipSync(await readFile(join(folder, "site", `${file}.gz`))).equals(image));
      assert.deepEqual((await readdir(join(folder, "site"))).includes(".taipan"), false);
    });

    it("makes pages start from it that say no more than `indexURL`, and keep it", async () => {
      const visit = () =>
        api.evaluate(async () => {
          const python = await start({ image: undefined });
          const { value } = await python.run(`import sys, os
['bs4' in sys.modules, 'six' in sys.modules, greeting, 'PYTHONHASHSEED' in os.environ]`);
          const { value: text } = await python.run("import bs4; bs4.BeautifulSoup('<p>x', 'html.parser').p.text");
          const { timings } = python;
          const { file_name: file, sha256 } = JSON.parse(await (await fetch("/python/pyodide-lock.json")).text()).taipan
            .image;
          const packages = (await python.loadedPackages()).map(({ name }) => name);
          // Until what was fetched is kept.
          await sleep(3000);
          python.dispose();
          return { value, text, timings, packages, file, sha256 };
        });
      const first = await visit();
      assert.equal(first.timings.imageRefused, undefined);
      assert.equal(first.timings.image, "distribution");
      assert.deepEqual(first.value, [true, true, "from the program", false]);
      assert.equal(first.text, "x");
      assert.ok(first.packages.includes("beautifulsoup4"));
      api.server.log.length = 0;
      const second = await visit();
      assert.equal(second.timings.image, "distribution");
      const asked = api.server.log.filter(({ path }) => path.endsWith(".image"));
      assert.deepEqual(asked, [], "it is kept");
    });

    it("lets pages decline it", async () => {
      const image = await api.evaluate(async () => {
        const python = await start({ image: "none" });
        const { image } = python.timings;
        python.dispose();
        return image ?? null;
      });
      assert.equal(image, null);
    });

    it("is noticed when it is damaged, and costs time and nothing else", async () => {
      api.server.hooks.push({ match: /\.image$/, corrupt: true });
      const found = await api.evaluate(async () => {
        const python = await start({ image: undefined, cache: "none" });
        const { value } = await python.run("1 + 1");
        const { timings } = python;
        python.dispose();
        return { value, timings };
      });
      api.server.hooks.splice(0);
      assert.equal(found.value, 2);
      assert.equal(found.timings.image, undefined);
      assert.match(found.timings.imageRefused, /image/i);
    });

    it("does nothing where the image is there already, and replaces it where it would be another", async () => {
      const again = await bake("site", "--packages", "beautifulsoup4", "--run", "warmup.py");
      assert.equal(again.code, 0, again.stderr);
      assert.match(again.stdout, /up to date/);
      const other = await bake("site", "--packages", "six");
      assert.equal(other.code, 0, other.stderr);
      const { image } = (await readLock()).taipan;
      assert.notEqual(image.sha256, lock.taipan.image.sha256);
      await readFile(join(folder, "site", image.file_name));
      await assert.rejects(readFile(join(folder, "site", lock.taipan.image.file_name)), { code: "ENOENT" });
      const { code, stdout } = await taipan([
        ...["prepare", "site", "--packages", "six,beautifulsoup4", "--compress", "none"],
        ...["--distribution", DISTRIBUTION],
      ]);
      assert.equal(code, 0);
      assert.match(stdout, /up to date/, "an image changes nothing about what is prepared");
    });

    it("makes the same image of the same things, but for little", async () => {
      const first = await readFile(join(folder, "site", (await readLock()).taipan.image.file_name));
      const text = await readLock();
      delete text.taipan.image;
      await writeFile(join(folder, "site", "pyodide-lock.json"), JSON.stringify(text));
      assert.equal((await bake("site", "--packages", "six")).code, 0);
      const second = await readFile(join(folder, "site", (await readLock()).taipan.image.file_name));
      const length = Math.min(first.length, second.length);
      let different = Math.abs(first.length - second.length);
      for (let at = 0; at < length; at += 1) if (first[at] !== second[at]) different += 1;
      assert.ok(different < 0.01 * length, `${different} of ${length} bytes differ`);
    });
  });

  it("takes a release too, and says what a page has to say", async () => {
    const { code, stdout, stderr } = await bake("plain", "--packages", "six", "--distribution", DISTRIBUTION);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /image: "…\/python\.image"/);
    const api = await openApiPage({ roots: { "/plain/": join(folder, "plain") } });
    const found = await api.evaluate(async () => {
      const python = await start({ image: "/plain/python.image" });
      const { value } = await python.run("import sys; 'six' in sys.modules");
      const { timings } = python;
      python.dispose();
      return { value, timings };
    });
    await api.close();
    assert.equal(found.timings.imageRefused, undefined);
    assert.deepEqual([found.value, found.timings.image], [true, "address"]);
  });

  it("puts side modules beside the image that the program does not call", async () => {
    await writeFile(join(folder, "first.py"), "import numpy; numpy.arange(3).sum()");
    await mkdir(join(folder, "beside", "modules"), { recursive: true });
    for (const suffix of ["", ".br", ".gz", ".zst"]) {
      await writeFile(join(folder, "beside", "modules", `old-0123456789abcdef.wasm${suffix}`), "of an earlier image");
    }
    const { code, stdout, stderr } = await bake(
      ...["beside", "--packages", "numpy", "--exercise", "first.py", "--distribution", DISTRIBUTION],
    );
    assert.equal(code, 0, stderr);
    const [, count] = /(\d+) side modules beside it/.exec(stdout) ?? [];
    const files = await readdir(join(folder, "beside", "modules"));
    assert.deepEqual(
      files.filter((name) => name.startsWith("old-")),
      [],
    );
    const modules = files.filter((name) => name.endsWith(".wasm"));
    assert.equal(modules.length, Number(count));
    const has = (name) => modules.some((module) => module.startsWith(`${name}-`));
    assert.deepEqual(["_umath_linalg", "_multiarray_umath"].map(has), [true, false]);

    const api = await openApiPage({ roots: { "/beside/": join(folder, "beside") } });
    const visit = api.evaluate(async () => {
      const python = await start({ image: "/beside/python.image" });
      const { value } = await python.run("import numpy; float(numpy.arange(3).sum())");
      await fetch("/beside/now");
      const { value: later } = await python.run("round(numpy.linalg.det([[1, 2], [3, 4]]), 6)");
      const { timings } = python;
      python.dispose();
      return { value, later, timings };
    });
    const found = await visit.finally(() => api.close());
    assert.equal(found.timings.imageRefused, undefined);
    assert.deepEqual([found.value, found.later, found.timings.image], [3, -2, "address"]);
    const paths = api.server.log.map(({ path }) => path);
    const asked = (list) => list.filter((path) => path.startsWith("/beside/modules/"));
    const now = paths.indexOf("/beside/now");
    assert.deepEqual(asked(paths.slice(0, now)), [], "what the program called is in the image");
    assert.ok(asked(paths.slice(now)).some((path) => path.includes("/_umath_linalg-")));
  });

  it("leaves all in the image where the program cannot run twice, and says so", async () => {
    await writeFile(join(folder, "once.py"), "import numpy, os; os.mkdir('/home/pyodide/once')");
    const { code, stdout, stderr } = await bake(
      ...["once", "--packages", "numpy", "--run", "once.py", "--distribution", DISTRIBUTION],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /All side modules stay in the image.*FileExistsError/);
    assert.deepEqual((await readdir(join(folder, "once"))).includes("modules"), false);
  });

  it("hears of the page while a program says nothing", async () => {
    const told = [];
    const server = await startServer({
      job: { packages: [], modules: [], program: { source: "import time; time.sleep(8)", filename: "quiet.py" } },
      package: new URL("../../dist/", import.meta.url),
      distribution: (name) => readFile(join(DISTRIBUTION, name)),
      onTold: (what, body) => told.push(what === "step" ? body.toString() : what),
    });
    const page = await openPage(browser, `${server.url}page.html`);
    try {
      while (!told.includes("bake") && !told.includes("failure")) await sleep(100);
      const during = told.slice(told.indexOf("run") + 1, told.indexOf("bake"));
      assert.ok(during.includes("alive"), `${told}`);
    } finally {
      await page.close();
      server.close();
    }
  });

  it("makes an image for numpy and pandas that is at most 12 MB over the line", async () => {
    const args = [
      "--out",
      "pandas",
      "--packages",
      "numpy,pandas",
      "--distribution",
      DISTRIBUTION,
      "--compress",
      "none",
    ];
    const { code, stderr } = await taipan(["bake", ...args]);
    assert.equal(code, 0, stderr);
    const image = await readFile(join(folder, "pandas", "python.image"));
    // As the command compresses it unless told otherwise.
    const sent = await zstd.compress(image, EFFORTS.best.zst);
    assert.ok(sent.length <= 12e6, `${sent.length} bytes`);
  });

  it("makes no image when Python raises, and shows where", async () => {
    const { code, stderr } = await bake("none", "--packages", "", "--run", "broken.py", "--distribution", DISTRIBUTION);
    assert.equal(code, 1);
    assert.match(stderr, /broken\.py raised an exception/);
    assert.match(stderr, /File "broken\.py", line 2, in f[\s\S]*KeyError: 'key'/);
    assert.ok(!(await readdir(folder)).includes("none"), "no folder is left behind");
  });

  it("makes no image of what an image cannot hold, and names the variable", async () => {
    const { code, stderr } = await bake("none", "--packages", "", "--run", "holds.py", "--distribution", DISTRIBUTION);
    assert.equal(code, 1);
    assert.match(stderr, /held/);
    assert.match(stderr, /What to do: /);
  });

  it("says what is wrong before it starts anything", async () => {
    for (const [args, message] of [
      [["--packages", "pandsa"], /pandsa, but the lock file does not have it.*\n.*Did you mean pandas/],
      [["--packages", "six", "--run", "none.py"], /none\.py cannot be read/],
      [["--packages", "six", "--browser", "/nowhere/chrome"], /\/nowhere\/chrome is no program/],
      [["--packages", "six", "--browser", process.execPath], /ended before the image was made/],
    ]) {
      const { code, stderr } = await bake("none", ...args, "--distribution", DISTRIBUTION);
      assert.equal(code, 1, args.join(" "));
      assert.match(stderr, message);
    }
    assert.ok(!(await readdir(folder)).includes("none"), "no folder is left behind");
  });
});
