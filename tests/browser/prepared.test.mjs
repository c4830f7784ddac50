/** A folder made by `taipan prepare`: a first visit compiles nothing, what can wait waits, and damage is noticed. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { progressOn } from "../../cli/output.mjs";
import { prepare } from "../../cli/prepare.mjs";
import { readZip } from "../../cli/zip.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

const VERSION = "0.28.3";
const SILENT = progressOn({ write: () => true });

describe("a prepared distribution", { timeout: 300_000 }, () => {
  let folder;
  let lock;
  let api;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-prepared-"));
    const packages = ["numpy", "regex", "beautifulsoup4"];
    const distribution = distributionFolder(VERSION);
    const prefetch = ["six"];
    await prepare({
      out: folder,
      packages: [...packages, "six"],
      distribution,
      prefetch,
      compress: "none",
      progress: SILENT,
    });
    lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    api = await openApiPage({ python: folder });
  });
  after(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs code in a fresh Python; also says what was asked of the server. */
  const visit = async (code, options = {}) => {
    api.server.log.length = 0;
    const result = await api.evaluate(
      async ([code, options]) => {
        const progress = [];
        const python = await start({ cache: "none", onProgress: (one) => progress.push(one), ...options });
        const run = await caught(python.run(code));
        python.dispose();
        return { ...run, ...run.resolved, timings: python.timings, progress };
      },
      [code, options],
    );
    const paths = api.server.log.map(({ path }) => path.replace("/python/", ""));
    const waited = paths.filter((path) => /-(later|sources)\.bin$/.test(path));
    return { ...result, paths, waited };
  };

  it("is started, and imports, from bytecode alone", async () => {
    const { value, timings, waited } = await visit(
      `import bs4, numpy, sys
[module.__name__ for module in list(sys.modules.values())
 if getattr(module.__spec__, "cached", None) and not __import__("os").path.exists(module.__spec__.cached)
 and not module.__name__.startswith("_taipan")] + [int(numpy.arange(5).sum())]`,
    );
    assert.deepEqual(value, [10]);
    assert.equal(timings.filesInflated, 0);
    assert.deepEqual(waited, [], "nothing that can wait is fetched");
  });

  const namesOf = (files) => files.map(({ file_name }) => file_name).sort();

  it("compiles side modules from few files, each once, and those alone that importing links", async () => {
    const { paths, timings } = await visit("import numpy");
    const named = namesOf(Object.values(lock.taipan.side_modules).flat());
    const ofNumpy = lock.taipan.side_modules[lock.packages.numpy.sha256];
    const fetched = paths.filter((path) => path.endsWith(".so.wasm") || named.includes(path));
    assert.deepEqual(fetched.sort(), namesOf(ofNumpy));
    assert.ok(fetched.length < named.length, "regex has one as well");
    const modules = ofNumpy.flatMap(({ contents }) => contents);
    assert.ok(modules.length > fetched.length);
    assert.equal(timings.modulesCompiled, modules.length);
  });

  it("lets a caller give up on a package that is on its way before anybody asked", async () => {
    api.server.hooks.push({ match: /six-.*\.whl$/, hang: true, times: 1 });
    const found = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      const controller = new AbortController();
      const loading = caught(python.loadPackage("six", { signal: controller.signal }));
      await sleep(200);
      controller.abort();
      const error = await Promise.race([loading, sleep(15_000).then(() => "nothing for 15 s")]);
      const { value } = await python.run("import six; six.PY3");
      python.dispose();
      return { error, value };
    });
    api.server.hooks.length = 0;
    assert.equal(found.error.code, "ABORTED", JSON.stringify(found.error));
    assert.equal(found.value, true);
  });

  it("fetches a side module that nobody foresaw by itself", async () => {
    const { value, paths, timings } = await visit("import numpy.linalg.lapack_lite as module\nmodule.__name__");
    assert.equal(value, "numpy.linalg.lapack_lite");
    const fetched = paths.filter((path) => path.endsWith(".so.wasm"));
    assert.deepEqual(
      fetched.map((path) => path.split("/").at(-1).split(".")[0]),
      ["lapack_lite"],
    );
    assert.ok(timings.modulesLinked > 1);
  });

  it("takes side modules from what the browser keeps on a second visit", async () => {
    const ofNumpy = lock.taipan.side_modules[lock.packages.numpy.sha256];
    await api.evaluate(
      async (bytes) => {
        const python = await start({ cache: "persistent" });
        await python.run("import numpy");
        while ((await python.store.usage()).bytes < bytes) await sleep(50);
        python.dispose();
      },
      ofNumpy.reduce((sum, { size }) => sum + size, 0),
    );
    const { value, paths } = await visit("import numpy\nint(numpy.arange(5).sum())", { cache: "persistent" });
    assert.equal(value, 10);
    const fetched = paths.filter((path) => namesOf(ofNumpy).includes(path) || path.endsWith(".so.wasm"));
    assert.deepEqual(fetched, []);
  });

  it("begins to fetch what was asked to come early", async () => {
    const { paths } = await visit("1");
    assert.ok(paths.includes(lock.packages.six.file_name));
    assert.ok(!paths.includes(lock.packages.regex.file_name));
  });

  it("imports modules that nobody foresaw, and what the scan cannot see", async () => {
    const { value, waited } = await visit(
      `import importlib
regex = importlib.import_module("regex")
import colorsys, xml.sax.saxutils
[regex.fullmatch(r"\\p{Lu}+", "ÄÖ") is not None, colorsys.rgb_to_hsv(1, 1, 1)[2], xml.sax.saxutils.escape("<")]`,
    );
    assert.deepEqual(value, [true, 1, "&lt;"]);
    assert.ok(waited.some((path) => path.includes("python-later")));
  });

  it("shows source lines in tracebacks, and gives sources to those who ask", async () => {
    const { value, waited } = await visit(
      `import traceback, inspect, bs4
try:
    bs4.BeautifulSoup("", features="none such")
except Exception:
    text = traceback.format_exc()
[text, inspect.getsource(inspect.getsource)]`,
    );
    assert.match(
      value[0],
      /File "\/lib\/python3\.13\/site-packages\/bs4\/__init__\.py", line \d+, in __init__\n +raise FeatureNotFound/,
    );
    assert.match(value[1], /^def getsource\(object\):/);
    assert.ok(waited.some((path) => path.includes("beautifulsoup4-sources")));
  });

  it("has its metadata, its data files, and the bytes of side modules", async () => {
    const { value } = await visit(
      `import importlib.metadata as metadata, hashlib, bs4, numpy, os
files = metadata.files("numpy")
module = next(file for file in files if file.name.startswith("_multiarray_umath"))
path = module.locate()
with open(path, "rb") as file:
    data = file.read()
[metadata.version("numpy"), all(file.locate().exists() for file in files if "../" not in str(file)),
 hashlib.sha256(data).hexdigest(), os.path.getsize(path) == len(data), module.size == len(data),
 len(metadata.files("beautifulsoup4")[0].locate().read_bytes()) > 0]`,
    );
    const [version, ...rest] = value;
    assert.equal(version, lock.packages.numpy.version);
    const wheel = join(distributionFolder(VERSION), lock.packages.numpy.file_name.split("/").at(-1));
    const entry = readZip(await readFile(wheel), wheel).find(({ path }) => /_multiarray_umath.*\.so$/.test(path));
    const hash = createHash("sha256").update(entry.read()).digest("hex");
    assert.deepEqual(rest, [true, hash, true, true, true]);
  });

  it("reports progress with the manifest's sizes", async () => {
    const { progress } = await visit("import numpy");
    for (const name of ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]) {
      const last = progress.filter((one) => one.name === name).at(-1);
      const { size } = lock.taipan.files[name];
      assert.deepEqual([last.loaded, last.total], [size, size], name);
    }
    const { size } = lock.taipan.files[lock.packages.numpy.file_name];
    const numpy = progress.filter(({ name, stage }) => name === "numpy" && stage === "download");
    assert.ok(numpy.length > 0 && numpy.every(({ total }) => total === size));
  });

  describe("when a file is damaged", () => {
    const damaged = async (match, body) => {
      api.server.hooks.push({ match, corrupt: true });
      try {
        return await body();
      } finally {
        api.server.hooks.splice(0);
      }
    };
    const start = (packages) =>
      api.evaluate((packages) => caught(globalThis.start({ cache: "none", packages })), packages);

    for (const [what, match, name, packages] of [
      ["a file of several side modules", /numpy-side-modules\.bin$/, /numpy-side-modules/, ["numpy"]],
      ["a side module", /_regex.*\.so\.wasm$/, /_regex/, ["regex"]],
    ]) {
      it(`names ${what}`, async () => {
        const error = await damaged(match, () => start(packages));
        assert.equal(error.code, "INTEGRITY");
        assert.match(error.message, name);
      });
    }

    it("names a wheel", async () => {
      const error = await damaged(/regex.*\.whl$/, () => start(["regex"]));
      assert.equal(error.code, "INTEGRITY");
      assert.match(error.message, /regex/);
    });

    it("is an error for Python where a file is read that can wait, and the rest goes on", async () => {
      const { value } = await damaged(/\.bin$/, () =>
        visit(`import linecache, bs4
try:
    open(bs4.__file__).read()
except OSError as error:
    code = error.errno
[code, linecache.getline(bs4.__file__, 1), len(bs4.BeautifulSoup("<p>x", "html.parser").find_all("p"))]`),
      );
      assert.deepEqual(value, [29, "", 1]);
    });

    for (const name of ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]) {
      it(`names ${name}`, async () => {
        const error = await damaged(name, () => start([]));
        // A module that cannot be compiled any more is noticed by the compiler first.
        assert.ok(["INTEGRITY", "BAD_WASM"].includes(error.code), error.message);
        assert.ok(error.message.includes(name), error.message);
      });
    }
  });
});
