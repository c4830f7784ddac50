/** `import` of what the lock file does not have: a project of the module's name on an index, on another origin. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { realWheel, startIndex, wheel } from "../support/simple-index.mjs";

const OPENPYXL = ["openpyxl-3.1.5-py2.py3-none-any.whl", "et_xmlfile-2.0.0-py3-none-any.whl"];

describe("pure wheels, on 0.28.3", { timeout: 300_000 }, () => {
  let api;
  let index;
  const run = (code) => api.evaluate(async (code) => (await (await shared()).run(code)).value, code);
  /** The message of the exception that code ends with. */
  const fails = async (code) => {
    const error = await api.evaluate(async (code) => caught((await shared()).run(code)), code);
    assert.equal(error.type, "ModuleNotFoundError", JSON.stringify(error));
    return error.message;
  };
  const asked = (project) => index.log.filter(({ path }) => path === `/simple/${project}/`).length;
  const loaded = () => api.evaluate(async () => (await (await shared()).loadedPackages()).map(({ name }) => name));

  before(async () => {
    index = await startIndex([
      ...(await Promise.all(OPENPYXL.map(async (name) => realWheel(join(distributionFolder("0.28.3"), name))))),
      wheel("alpha", "1.0", { requires: ["beta>=2"] }),
      wheel("beta", "2.0"),
      wheel("gamma_ray", "1.0"),
      wheel("delta", "1.0"),
      wheel("epsilon", "1.0"),
      wheel("other_name", "1.0", { files: { "something_else.py": "" } }),
      wheel("prober", "1.0", {
        files: { "prober.py": "try:\n    import zeta\nexcept ImportError:\n    zeta = None\n" },
      }),
      wheel("lazy", "1.0", { files: { "lazy.py": "def find():\n    import zeta\n" } }),
      wheel("zeta", "1.0"),
    ]);
    api = await openApiPage();
    await api.evaluate((root) => {
      globalThis.sharedPython = start({ indexURLs: [root] });
    }, index.root);
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });

  it("at top level, with what the project needs", async () => {
    assert.deepEqual(await run("import alpha, beta\n[alpha.version, beta.version]"), ["1.0", "2.0"]);
    const names = await loaded();
    assert.ok(names.includes("alpha") && names.includes("beta"), names.join());
  });

  it("in a function, through importlib, in a try, and of a name that is written in another way", async () => {
    assert.equal(await run("def f():\n    import gamma_ray\n    return gamma_ray.version\nf()"), "1.0");
    assert.equal(await run("import importlib\nimportlib.import_module('delta').version"), "1.0");
    const attempt = "try:\n    import epsilon\nexcept ImportError:\n    epsilon = None\nepsilon and epsilon.version";
    assert.equal(await run(attempt), "1.0");
  });

  it("a name that no project has is asked for once, and the error says where it was looked for", async () => {
    const message = await fails("import alhpa");
    assert.match(message, /No module named 'alhpa'\. /);
    assert.match(message, /lock file/);
    assert.ok(message.includes(index.root), message);
    await fails("import alhpa");
    const loop = "for _ in range(50):\n    try:\n        import alhpa\n    except ImportError:\n        pass\n7";
    assert.equal(await run(loop), 7);
    assert.equal(asked("alhpa"), 1);
  });

  it("a project that does not bring the module is not installed", async () => {
    assert.match(await fails("import other_name"), /other-name|other_name.*does not bring a module other_name/);
    assert.ok(!(await loaded()).includes("other-name"));
    assert.equal(await run("import importlib.util\nimportlib.util.find_spec('something_else') is None"), true);
  });

  it("what a package looks for, private names, the standard library and find_spec never get to an index", async () => {
    assert.equal(await run("import prober\nprober.zeta is None"), true);
    await fails("import lazy\nlazy.find()");
    await fails("import _private_thing");
    await fails("import telnetlib");
    await fails("import alpha.inner");
    assert.equal(await run("import importlib.util\nimportlib.util.find_spec('zeta') is None"), true);
    for (const name of ["zeta", "_private_thing", "private-thing", "telnetlib", "inner"])
      assert.equal(asked(name), 0, name);
  });

  it("what pandas cannot go on without comes: openpyxl, with what it needs itself", async () => {
    const value = await run(`
import io
import pandas as pd
file = io.BytesIO()
pd.DataFrame({"town": ["Bern", "Basel"], "visits": [3, 5]}).to_excel(file, index=False, engine="openpyxl")
pd.read_excel(io.BytesIO(file.getvalue())).visits.tolist()`);
    assert.deepEqual(value, [3, 5]);
    const names = await loaded();
    assert.ok(names.includes("openpyxl") && names.includes("et-xmlfile"), names.join());
  });

  it("files of the user come first", async () => {
    const code = "open('iota.py', 'w').write('version = \"mine\"')\nimport iota\niota.version";
    assert.equal(await run(code), "mine");
    assert.equal(asked("iota"), 0);
  });

  it("an index that fails is no answer: the error says why, and the next import asks again", async () => {
    index.pages["/simple/theta/"] = (_, response) => response.writeHead(500).end();
    assert.match(await fails("import theta"), /its package could not be loaded.*500/);
    delete index.pages["/simple/theta/"];
    index.files.push(wheel("theta", "1.0"));
    assert.equal(await run("import theta\ntheta.version"), "1.0");
  });

  it("an index that is down, and indexes that are left out", async () => {
    const outcomes = await api.evaluate(async (root) => {
      const messages = [];
      for (const options of [
        { indexURLs: ["http://localhost:9/simple"] },
        { indexURLs: [root], importsFrom: "lock" },
        { indexURLs: [] },
      ]) {
        const python = await start(options);
        messages.push((await caught(python.run("import kappa"))).message, (await python.run("1 + 1")).value);
        python.dispose();
      }
      return messages;
    }, index.root);
    assert.match(outcomes[0], /its package could not be loaded.*localhost:9/);
    assert.doesNotMatch(outcomes[2], /localhost/);
    assert.doesNotMatch(outcomes[4], /localhost/);
    assert.deepEqual([outcomes[1], outcomes[3], outcomes[5]], [2, 2, 2]);
    assert.equal(asked("kappa"), 0);
  });

  it("the resolver comes when it is needed; if it cannot be had, that is an error and Python goes on", async () => {
    const address = "**/taipan_web_resolver.wasm";
    await api.page.context().route(address, (route) => route.fulfill({ status: 503, body: "no" }));
    const first = await api.evaluate(async (root) => {
      globalThis.fresh = await start({ indexURLs: [root] });
      const error = await caught(fresh.install("zeta"));
      const imported = await caught(fresh.run("import zeta"));
      return { error, imported, value: (await fresh.run("2 + 2")).value };
    }, index.root);
    assert.deepEqual([first.error.name, first.error.code], ["LoadError", "LOAD_HTTP"]);
    assert.match(first.imported.message, /part of Taipan/);
    assert.equal(first.value, 4);
    await api.page.context().unroute(address);
    assert.equal(await api.evaluate(async () => (await fresh.run("import zeta\nzeta.version")).value), "1.0");
  });
});

describe("compiled wheels (PEP 783), on 314.0.7", { timeout: 300_000 }, () => {
  it("are found, linked and work", async () => {
    const folder = distributionFolder("314.0.7");
    const wheels = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    const index = await startIndex(await Promise.all(wheels.map((name) => realWheel(join(folder, name)))));
    const lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    for (const name of [
      "msgpack",
      "pydantic",
      "pydantic-core",
      "annotated-types",
      "typing-extensions",
      "typing-inspection",
    ]) {
      delete lock.packages[name];
    }
    const api = await openApiPage({ version: "314.0.7" });
    try {
      const value = await api.evaluate(
        async ([lockFileContents, root]) => {
          const python = await start({ lockFileContents, indexURLs: [root] });
          const code = `
import msgpack
def age():
    import pydantic
    class User(pydantic.BaseModel):
        age: int
    return User.model_validate_json('{"age": "36"}').age
[msgpack.unpackb(msgpack.packb([1, 2])), age()]`;
          return (await python.run(code)).value;
        },
        [lock, index.root],
      );
      assert.deepEqual(value, [[1, 2], 36]);
    } finally {
      await api.close();
      await index.close();
    }
  });
});
