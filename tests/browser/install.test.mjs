/** `python.install` of real wheels, compiled ones among them, from an index on another origin. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { realWheel, startIndex } from "../support/simple-index.mjs";
import { names, using } from "./support/installer.mjs";

describe("compiled wheels from an index, on 314.0.7", { timeout: 300_000 }, () => {
  const folder = distributionFolder("314.0.7");
  let api;
  let index;
  let lock;
  const { run, install, installFails, loaded, freeze } = using(() => api);

  before(async () => {
    const wheels = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    index = await startIndex(
      await Promise.all(
        wheels.map((name) => realWheel(join(folder, name), { offersMetadata: name.startsWith("pydantic-") })),
      ),
      { absolute: true },
    );
    lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    for (const name of [
      "pydantic",
      "pydantic-core",
      "annotated-types",
      "typing-extensions",
      "typing-inspection",
      "micropip",
    ]) {
      delete lock.packages[name];
    }
    api = await openApiPage({ version: "314.0.7" });
    await api.evaluate(
      ([lockFileContents, root]) => {
        globalThis.sharedPython = start({ lockFileContents, indexURLs: [root] });
      },
      [lock, index.root],
    );
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });

  it("pydantic and msgpack>=1.2 are found, fetched together and work", async () => {
    const installed = await install(["pydantic", "msgpack>=1.2"]);
    assert.deepEqual(names(installed), [
      "annotated-types 0.8.0",
      "msgpack 1.2.4",
      "pydantic 2.14.3",
      "pydantic-core 2.50.4",
      "typing-extensions 4.16.0",
      "typing-inspection 0.4.5",
    ]);
    assert.ok(installed.every(({ source }) => source.startsWith(`${index.url}/files/`)));
    const { value } = await run(`
import msgpack, pydantic
from msgpack import _cmsgpack
class User(pydantic.BaseModel):
    name: str
    age: int
user = User.model_validate_json('{"name": "Ada", "age": "36"}')
[user.age, msgpack.unpackb(_cmsgpack.Packer().pack([1, 2])), msgpack.version[0:2] >= (1, 2)]`);
    assert.deepEqual(value, [36, [1, 2], true]);
  });

  it("metadata is read beside a wheel where offered, else out of its end", () => {
    const of = (name) => index.log.filter(({ path }) => path.startsWith(`/files/${name}-`));
    assert.deepEqual(
      of("pydantic")
        .map(({ method, path }) => `${method} ${path.endsWith(".metadata") ? "metadata" : "wheel"}`)
        .sort(),
      ["GET metadata", "GET wheel"],
    );
    const core = of("pydantic_core");
    assert.ok(core.length >= 2 && core.slice(0, -1).every(({ range }) => range), JSON.stringify(core));
    const inParts = core.filter(({ range }) => range).reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(inParts < 200_000, `${inParts} bytes of metadata`);
    assert.equal(core.filter(({ range }) => !range).length, 1, "the wheel itself comes once");
    // The small ones are not worth three requests.
    assert.equal(of("annotated_types").length, 1);
    assert.ok(!index.log.some(({ method }) => method === "OPTIONS"), "nothing is asked beforehand");
  });

  it("what is there is not installed again, and nothing is asked for", async () => {
    const before = index.log.length;
    assert.deepEqual(await install(["pydantic>=2", "msgpack"]), []);
    assert.equal(index.log.length, before);
  });

  it("another version of what is loaded is a conflict that says so", async () => {
    const error = await installFails("msgpack<1.2");
    assert.deepEqual([error.name, error.code], ["ResolutionError", "RESOLUTION"]);
    assert.match(error.message, /You require msgpack<1\.2, but there is only 1\.2\.4\./);
    assert.match(error.message, /msgpack 1\.2\.4 is loaded; it takes a restart to replace it\./);
    assert.match(error.hint, /Restart/);
  });

  it("importlib.metadata says who installed it and from where", async () => {
    const { value } = await run(`
import importlib.metadata as metadata
d = metadata.distribution("msgpack")
[d.version, d.read_text("INSTALLER"), d.read_text("direct_url.json"), d.read_text("PYODIDE_URL").startswith("http")]`);
    assert.deepEqual(value, ["1.2.4", "taipan", null, true]);
  });

  it("micropip from the index sees all of it, installs more, and that is seen here", async () => {
    await install("micropip");
    const { value } = await run(`
import micropip
micropip.set_index_urls(["${index.root}"])
before = sorted(micropip.list())
await micropip.install("pydantic>=2.14")
await micropip.install("msgspec")
import msgspec
[before, msgspec.json.decode(b"[1]")]`);
    assert.ok(
      ["msgpack", "pydantic"].every((name) => value[0].includes(name)),
      value[0],
    );
    assert.deepEqual(value[1], [1]);
    const msgspec = (await loaded()).find(({ name }) => name === "msgspec");
    assert.equal(msgspec.version, "0.22.0");
    assert.ok(msgspec.source.endsWith("/files/msgspec-0.22.0-cp314-cp314-pyemscripten_2026_0_wasm32.whl"));
    const before = index.log.length;
    assert.deepEqual(await install("msgspec>=0.22"), []);
    assert.equal(index.log.length, before);
    await run(`micropip.uninstall("msgspec")`);
    assert.ok(!(await loaded()).some(({ name }) => name === "msgspec"), "what micropip takes away is gone here");
  });

  it("freeze gives a lock file that brings the same files into a fresh interpreter", async () => {
    const text = await freeze();
    const frozen = JSON.parse(text);
    assert.equal(frozen.packages.msgpack.version, "1.2.4");
    assert.deepEqual(frozen.packages["pydantic-core"].imports, ["pydantic_core"]);
    assert.ok(frozen.packages.pydantic.depends.includes("pydantic-core"), frozen.packages.pydantic.depends);
    assert.deepEqual(frozen.packages.numpy, lock.packages.numpy, "the rest is as it was");
    const { value, packages } = await api.evaluate(async (lockFileContents) => {
      const python = await start({ lockFileContents, indexURLs: [] });
      const { value } = await python.run(
        "import msgpack, pydantic\n[msgpack.version, pydantic.VERSION, pydantic.TypeAdapter(int).validate_python('3')]",
      );
      const packages = await python.loadedPackages();
      python.dispose();
      return { value, packages };
    }, text);
    assert.deepEqual(value, [[1, 2, 4], "2.14.3", 3]);
    assert.ok(names(packages).includes("pydantic-core 2.50.4"));
  });
});
