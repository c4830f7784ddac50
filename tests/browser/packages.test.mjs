/** Real packages: what they compute, how they arrive, and what happens when they do not. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { inflateSync } from "node:zlib";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

/** Runs code in the interpreter that the tests of a page share. */
const runner = (getApi) => (code) => getApi().evaluate(async (code) => (await shared()).run(code), code);

describe("packages of 0.28.3", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());
  const run = runner(() => api);

  it("numpy solves, decomposes and transforms", async () => {
    const { value } = await run(`
import numpy as np
a = np.array([[4.0, 2.0], [1.0, 3.0]])
q, r = np.linalg.qr(a)
[np.linalg.solve(a, [2.0, 1.0]).round(6).tolist(), sorted(np.linalg.eigvals(a).round(6).tolist()),
 np.allclose(q @ r, a), np.fft.ifft(np.fft.fft([1, 2, 3, 4])).real.round(6).tolist()]`);
    assert.deepEqual(value, [[0.4, 0.2], [2, 5], true, [1, 2, 3, 4]]);
  });

  it("pandas reads CSV, groups, merges and shows a table with header cells", async () => {
    const { value, outputs } = await run(`
import io
import pandas as pd
visits = pd.read_csv(io.StringIO("town,visits\\nBern,3\\nBasel,5\\nBern,8\\n"))
towns = pd.DataFrame({"town": ["Bern", "Basel"], "canton": ["BE", "BS"]})
merged = visits.groupby("town", as_index=False).visits.sum().merge(towns)
print(merged.to_dict("records"))
merged`);
    assert.equal(
      outputs[0].text,
      "[{'town': 'Basel', 'visits': 5, 'canton': 'BS'}, {'town': 'Bern', 'visits': 11, 'canton': 'BE'}]\n",
    );
    const html = outputs[1].data["text/html"];
    assert.match(html, /<th scope="col">visits<\/th>/);
    assert.match(html, /<th scope="row">1<\/th>\s*<td>Bern<\/td>\s*<td>11<\/td>/);
    assert.equal(value, undefined, "a data frame is not plain data");
  });

  it("scipy integrates and factors, through its own libraries", async () => {
    const { value } = await run(`
import numpy as np
from scipy import integrate, linalg, optimize
[round(integrate.quad(lambda x: x * x, 0, 3)[0], 6), np.round(linalg.det([[1, 2], [3, 4]]), 6).item(),
 round(optimize.brentq(lambda x: x**3 - 8, 0, 5), 6)]`);
    assert.deepEqual(value, [9, -2, 2]);
  });

  it("matplotlib draws a figure that is shown with a description", async () => {
    const { outputs } = await run(`
import matplotlib.pyplot as plt
plt.plot([1, 2, 3], [1, 4, 9])
plt.title("Squares"); plt.xlabel("n"); plt.ylabel("n²");`);
    const figure = outputs.find(({ data }) => data?.["image/png"]);
    assert.equal(figure.metadata["image/png"].alt, "Squares (n² against n)");
    const png = Buffer.from(figure.data["image/png"], "base64");
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.ok(coloursOf(png) > 20, "it is not blank");
  });

  it("scikit-learn fits", async () => {
    const { value } = await run(`
from sklearn.linear_model import LinearRegression
model = LinearRegression().fit([[1], [2], [3]], [2, 4, 6])
[round(model.coef_[0].item(), 6), round(model.predict([[5]])[0].item(), 6)]`);
    assert.deepEqual(value, [2, 10]);
  });

  it("installed packages are known to importlib.metadata and pkgutil", async () => {
    const { value } = await run(`
import importlib.metadata as metadata
import pandas, pkgutil
[metadata.version("pandas"), metadata.metadata("numpy")["Name"], "six" in [d.name for d in metadata.distributions()],
 metadata.distribution("pandas").read_text("INSTALLER"),
 any(str(file).endswith("pandas/__init__.py") for file in metadata.files("pandas")),
 pkgutil.get_data("pandas", "__init__.py").startswith(b"from __future__")]`);
    assert.deepEqual(value, ["2.3.1", "numpy", true, "taipan", true, true]);
  });

  it("a side module is a file that can be mapped", async () => {
    const { value } = await run(`
import mmap, os
from numpy._core import _multiarray_umath
with open(_multiarray_umath.__file__, "rb") as file:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        found = [len(mapped) == os.path.getsize(file.name), mapped[:] == file.read()]
found`);
    assert.deepEqual(value, [true, true]);
  });

  it("micropip sees what is loaded", async () => {
    const { value } = await run(`import micropip\n"pandas" in micropip.list()`);
    assert.equal(value, true);
  });
});

describe("import brings what it needs", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());
  const run = runner(() => api);

  it("from inside a function, through importlib and through exec", async () => {
    const { value } = await run(`
import importlib
def late():
    return __import__("six").__name__
name = "so" "upsieve"
exec("import bs4")
[late(), importlib.import_module(name).__name__, bs4.__name__]`);
    assert.deepEqual(value, ["six", "soupsieve", "bs4"]);
  });

  it("but not what a package only tries while it is imported itself", async () => {
    const names = await api.evaluate(async () => {
      const python = await shared();
      await python.run("exec('import sympy')");
      return (await python.loadedPackages()).map(({ name }) => name);
    });
    assert.ok(names.includes("sympy") && names.includes("mpmath"));
    // sympy tries each of these when it is imported or soon after.
    for (const optional of ["numpy", "scipy", "matplotlib"]) {
      assert.ok(!names.includes(optional), `${optional} was not asked for`);
    }
  });

  it("and an unknown module is an ordinary ModuleNotFoundError", async () => {
    const error = await api.evaluate(async () => caught((await shared()).run("import not_a_module_at_all")));
    assert.deepEqual([error.code, error.type], ["PYTHON", "ModuleNotFoundError"]);
  });

  it("and a download that fails says which file", async () => {
    api.server.hooks.push({ match: /regex-.*\.whl$/, status: 404 });
    const error = await api.evaluate(async () => caught((await shared()).run("exec('import regex')")));
    api.server.hooks.pop();
    assert.deepEqual([error.code, error.type], ["PYTHON", "ModuleNotFoundError"]);
    assert.match(error.traceback, /regex-.*\.whl answered with status 404/);
  });
});

describe("a load that fails leaves nothing behind", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  /** What loading pandas rejects with under a fault of the server, and what is there afterwards. */
  async function loadUnder(...hooks) {
    api.server.hooks.push(...hooks);
    const found = await api.evaluate(async () => {
      const python = await shared();
      const code = "import os, sys; sorted(os.listdir([p for p in sys.path if p.endswith('site-packages')][0]))";
      const { value: before } = await python.run(code);
      const error = await caught(python.loadPackage("pandas"));
      const { value: after } = await python.run(code);
      return { error, before, after, loaded: await python.loadedPackages() };
    });
    api.server.hooks.splice(0);
    return found;
  }

  const FAULTS = [
    ["is not there", { status: 404 }, "LOAD_HTTP"],
    ["breaks off each time", { truncate: 100_000 }, "LOAD_NETWORK"],
    ["has one wrong byte", { corrupt: true }, "INTEGRITY"],
    ["is cut short", { shorten: 100_000 }, "INTEGRITY"],
    ["is another file", { body: "<html>" }, "INTEGRITY"],
  ];
  for (const [what, fault, code] of FAULTS) {
    it(`when the wheel ${what}`, async () => {
      const { error, before, after, loaded } = await loadUnder({ match: /pandas-.*\.whl$/, ...fault });
      assert.equal(error.code, code);
      assert.deepEqual(
        error.packages.map(({ name }) => name),
        ["pandas"],
      );
      assert.deepEqual([after, loaded], [before, []]);
    });
  }

  it("and names every package that failed", async () => {
    const { error, before, after } = await loadUnder(
      { match: /pandas-.*\.whl$/, corrupt: true },
      { match: /six-.*\.whl$/, status: 404 },
    );
    assert.equal(error.code, "PACKAGES_FAILED");
    assert.deepEqual(error.packages.map(({ name, code }) => [name, code]).sort(), [
      ["pandas", "INTEGRITY"],
      ["six", "LOAD_HTTP"],
    ]);
    assert.deepEqual(after, before);
  });

  it("when it is aborted while a server is slow", async () => {
    api.server.hooks.push({ match: /numpy-.*\.whl$/, bytesPerSecond: 20_000 });
    const found = await api.evaluate(async () => {
      const python = await shared();
      const controller = new AbortController();
      const loading = caught(python.loadPackage("pandas", { signal: controller.signal }));
      await sleep(300);
      controller.abort();
      const began = performance.now();
      const error = await loading;
      return { error, waited: performance.now() - began, loaded: await python.loadedPackages() };
    });
    api.server.hooks.splice(0);
    assert.equal(found.error.code, "ABORTED");
    assert.ok(found.waited < 5000);
    assert.deepEqual(found.loaded, []);
  });

  it("and works when the fault has passed, even within one load", async () => {
    api.server.hooks.push({ match: /pandas-.*\.whl$/, times: 1, truncate: 100_000 });
    api.server.hooks.push({ match: /numpy-.*\.whl$/, times: 2, status: 503 });
    const names = await api.evaluate(async () =>
      (await (await shared()).loadPackage("pandas")).map(({ name }) => name),
    );
    api.server.hooks.splice(0);
    assert.deepEqual(names.sort(), ["numpy", "pandas", "python-dateutil", "pytz", "six"]);
  });
});

describe("bad input", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());
  const loadFails = (names) => api.evaluate(async (names) => caught((await shared()).loadPackage(names)), names);

  it("unknown names come back with near ones", async () => {
    const error = await loadFails("pnadas");
    assert.equal(error.code, "PACKAGE_NOT_FOUND");
    assert.deepEqual(error.suggestions, ["pandas"]);
    assert.match(error.hint, /pandas/);
  });

  it("what is neither a name nor an address is refused", async () => {
    assert.equal((await loadFails("a package")).code, "BAD_REQUIREMENT");
  });

  it("wheels of other interpreters say what they are for", async () => {
    const error = await loadFails("https://example.org/numpy-2.2.5-cp313-cp313-win_amd64.whl");
    assert.equal(error.code, "WRONG_ABI");
    assert.match(error.message, /win_amd64/);
    assert.match(error.message, /pyodide_2025_0_wasm32/);
  });

  it("lock files of other interpreters are refused by name", async () => {
    const error = await api.evaluate(async () => {
      const lock = await (await fetch("/python/pyodide-lock.json")).json();
      lock.info.abi_version = "2023_0";
      return caught(start({ lockFileContents: lock }));
    });
    assert.equal(error.code, "WRONG_ABI");
    assert.match(error.message, /2023_0/);
  });
});

describe("wheels of 314.0.7 from an index (PEP 783)", { timeout: 300_000 }, () => {
  let api;
  let wheels;
  before(async () => {
    api = await openApiPage({ version: "314.0.7" });
    wheels = (await readdir(distributionFolder("314.0.7"))).filter((name) => name.includes("pyemscripten_2026_0"));
  });
  after(() => api?.close());
  const run = runner(() => api);
  const load = (name) => {
    const file = wheels.find((wheel) => wheel.startsWith(`${name}-`));
    assert.ok(file, `a wheel of ${name} is in the distribution's folder`);
    return api.evaluate(async (url) => (await shared()).loadPackage(url), `${api.server.url}/python/${file}`);
  };

  it("msgpack packs with its compiled part", async () => {
    const [{ name, source }] = await load("msgpack");
    assert.equal(name, "msgpack");
    assert.match(source, /^http/);
    const { value } = await run(`
import msgpack
from msgpack import _cmsgpack
msgpack.unpackb(_cmsgpack.Packer().pack({"a": [1, 2.5, "x"]}))`);
    assert.deepEqual(value, { a: [1, 2.5, "x"] });
  });

  it("msgspec validates", async () => {
    await load("msgspec");
    const { value } = await run(`
import msgspec
class User(msgspec.Struct):
    name: str
    age: int = 0
[msgspec.json.decode(b'{"name": "Ada", "age": 36}', type=User).age, msgspec.json.encode(User("Bob")).decode()]`);
    assert.deepEqual(value, [36, '{"name":"Bob","age":0}']);
  });

  it("sqlite3 of the standard library keeps a table", async () => {
    const { value } = await run(`
import sqlite3
with sqlite3.connect("/tmp/test.db") as database:
    database.execute("create table t (n integer)")
    database.executemany("insert into t values (?)", [(1,), (2,), (3,)])
database.close()
sqlite3.connect("/tmp/test.db").execute("select sum(n) from t").fetchone()[0]`);
    assert.equal(value, 6);
  });

  it("a wheel that holds more than it lists is refused", async () => {
    const file = wheels.find((wheel) => wheel.startsWith("librt-"));
    const add = `
import io, shutil, sys, zipfile
wheel = io.BytesIO(open(sys.argv[1], "rb").read())
with zipfile.ZipFile(wheel, "a") as archive:
    archive.writestr("smuggled.py", "")
sys.stdout.buffer.write(wheel.getvalue())`;
    const path = `${distributionFolder("314.0.7")}/${file}`;
    const { stdout } = await promisify(execFile)("python3", ["-c", add, path], { encoding: "buffer", maxBuffer: 1e8 });
    const url = `${api.server.url}/python/${file}`;
    api.server.hooks.push({ match: file, body: stdout });
    const error = await api.evaluate(async (url) => caught((await shared()).loadPackage(url)), url);
    api.server.hooks.splice(0);
    assert.equal(error.code, "BAD_WHEEL");
    assert.match(error.message, /smuggled\.py is there and not listed/);
    const [{ name }] = await api.evaluate(async (url) => (await shared()).loadPackage(url), url);
    assert.equal(name, "librt");
  });

  it("a damaged wheel is refused", async () => {
    const file = wheels.find((wheel) => wheel.startsWith("contourpy-"));
    const bytes = await readFile(`${distributionFolder("314.0.7")}/${file}`);
    api.server.hooks.push({ match: file, body: bytes.subarray(0, bytes.length - 5000) });
    const error = await api.evaluate(
      async (url) => caught((await shared()).loadPackage(url)),
      `${api.server.url}/python/${file}`,
    );
    api.server.hooks.splice(0);
    assert.equal(error.code, "BAD_ARCHIVE");
  });
});

/** How many different bytes the pixels of a PNG have: a blank image has few. */
function coloursOf(png) {
  const data = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return new Set(inflateSync(Buffer.concat(data))).size;
}
