/** Packages that no release has, prepared: `import` brings them, `install` finds them, and a frozen set is deployed as it is. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { progressOn } from "../../cli/output.mjs";
import { prepare } from "../../cli/prepare.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { realWheel, startIndex, wheel } from "../support/simple-index.mjs";

const progress = progressOn({ write: () => true });

/** What a page with this folder gets, and what it has asked the index for. */
async function visit(python, index, code, requirements) {
  const api = await openApiPage({ python });
  try {
    index.log.length = 0;
    const result = await api.evaluate(
      async ([code, requirements, root]) => {
        const python = await start({ cache: "none", indexURLs: [root] });
        const run = await caught(python.run(code));
        const installed = await caught(python.install(requirements));
        const loaded = await python.loadedPackages();
        python.dispose();
        return { run, installed, loaded };
      },
      [code, requirements, index.root],
    );
    return { ...result, asked: [...index.log] };
  } finally {
    await api.close();
  }
}

describe("prepared packages of an index", { timeout: 600_000 }, () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-prepared-packages-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("compiled ones come with their import, on 314.0.7", async () => {
    const distribution = distributionFolder("314.0.7");
    const wheels = (await readdir(distribution)).filter((name) => name.endsWith(".whl"));
    const index = await startIndex(await Promise.all(wheels.map((name) => realWheel(join(distribution, name)))));
    try {
      const lock = JSON.parse(await readFile(join(distribution, "pyodide-lock.json"), "utf8"));
      for (const name of wheels) delete lock.packages[name.split("-")[0].replaceAll("_", "-")];
      const lockFile = join(folder, "trimmed.json");
      await writeFile(lockFile, JSON.stringify(lock));
      const out = join(folder, "compiled");
      const packages = ["pydantic", "msgpack>=1.2"];
      await prepare({ out, packages, distribution, lockFile, indexURLs: [index.root], compress: "none", progress });
      const code = `
import msgpack, pydantic
from msgpack import _cmsgpack
class User(pydantic.BaseModel):
    age: int
[User.model_validate_json('{"age": "36"}').age, msgpack.unpackb(_cmsgpack.Packer().pack([1]))]`;
      const { run, installed, loaded, asked } = await visit(out, index, code, ["pydantic>=2", "msgpack"]);
      assert.deepEqual(run.resolved?.value, [36, [1]], JSON.stringify(run));
      assert.deepEqual(installed.resolved, [], JSON.stringify(installed));
      assert.deepEqual(asked, [], "nobody asks the index");
      const sources = loaded.filter(({ name }) => /pydantic|msgpack/.test(name)).map(({ source }) => source);
      assert.deepEqual(sources, ["lock", "lock", "lock"]);
    } finally {
      await index.close();
    }
  });

  it("a set that was worked out in a page is deployed as it is, on 0.28.3", async () => {
    const distribution = distributionFolder("0.28.3");
    const files = { "mine/__init__.py": "from mine.part import answer\n", "mine/part.py": "import six\nanswer = 42\n" };
    const index = await startIndex([wheel("mine", "1.0", { requires: ["six"], files })]);
    const api = await openApiPage();
    try {
      const frozen = await api.evaluate(async (root) => {
        const python = await start({ cache: "none", indexURLs: [root] });
        await python.install(["mine"]);
        const frozen = await python.freeze();
        python.dispose();
        return frozen;
      }, index.root);
      const lockFile = join(folder, "frozen.json");
      await writeFile(lockFile, typeof frozen === "string" ? frozen : JSON.stringify(frozen));
      index.files.push(wheel("mine", "2.0"));
      const out = join(folder, "frozen");
      await prepare({ out, packages: ["mine"], distribution, lockFile, compress: "none", progress });
      const { run, installed, asked } = await visit(out, index, "import mine; mine.answer", ["mine"]);
      assert.equal(run.resolved?.value, 42, JSON.stringify(run));
      assert.deepEqual(installed.resolved, []);
      assert.deepEqual(asked, []);
    } finally {
      await api.close();
      await index.close();
    }
  });
});
