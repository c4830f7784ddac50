/** Packages whose files take the place of others: what was known of those others is not taken for theirs. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { filesOf, realWheel, sha256, startIndex, wheel } from "../support/simple-index.mjs";

describe("files that take the place of others, on 0.28.3", { timeout: 300_000 }, () => {
  let api;
  let index;
  const offer = (...files) => index.files.splice(0, index.files.length, ...files);
  before(async () => {
    index = await startIndex([], { absolute: true });
    api = await openApiPage();
    await api.page.evaluate(KEPT_FUNCTIONS);
    await api.page.evaluate((root) => {
      globalThis.fresh = () => start({ indexURLs: [root] });
      globalThis.root = root;
    }, index.root);
  });
  afterEach(() => {
    api.server.hooks.length = 0;
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });

  it("the bytecode of one version is never kept as another's", async () => {
    // The two agree in time and size.
    const versions = ["1.0", "2.0"].map((version) => wheel("changeling", version));
    offer(...versions, wheel("witness", "1.0"));
    const replace = `
import micropip
micropip.set_index_urls([${JSON.stringify(index.root)}])
await micropip.install("changeling==1.0")
import changeling
micropip.uninstall("changeling")
await micropip.install(["changeling==2.0", "witness"])
import witness
changeling.version`;
    const witness = sha256(index.files.at(-1).bytes);
    const found = await api.evaluate(async (replace) => {
      const first = await fresh();
      const { value: before } = await first.run(replace);
      const kept = async () => Object.keys((await readIndex()).names).join();
      // The note on this visit is written after all bytecode.
      for (let waited = 0; waited < 100 && !(await kept()).includes("last-visit/"); waited += 1) await sleep(100);
      first.dispose();
      const second = await fresh();
      await second.install("changeling==2.0");
      const { value: after } = await second.run("import changeling; changeling.version");
      second.dispose();
      return { before, after, kept: await kept() };
    }, replace);
    assert.ok(found.kept.includes(witness), "bytecode was kept");
    assert.deepEqual([found.before, found.after], ["1.0", "2.0"]);
  });

  it("a file that was there before can be opened again", async () => {
    const init = "# namespace\n";
    offer(
      wheel("space_one", "1.0", { files: { "space/__init__.py": init, "space/one.py": "" } }),
      wheel("space_two", "1.0", { files: { "space/__init__.py": init, "space/two.py": "" } }),
      wheel("open_one", "1.0", { files: { "open_one/__init__.py": "", "shared.txt": "one" } }),
      wheel("open_two", "1.0", { files: { "open_two/__init__.py": "", "shared.txt": "two" } }),
    );
    const found = await api.evaluate(async () => {
      const python = await fresh();
      await python.install(["space_one", "open_one"]);
      const before = await python.run(`
import space.one, open_one, os
shared = os.path.join(os.path.dirname(os.path.dirname(open_one.__file__)), "shared.txt")
still_open = open(shared)
open(space.__file__).read()`);
      await python.install(["space_two", "open_two"]);
      const after = await python.run("[open(space.__file__).read(), open(shared).read(), still_open.read()]");
      python.dispose();
      return [before.value, ...after.value];
    });
    assert.deepEqual(found, [init, init, "two", "one"]);
  });

  it("a package that an import brings while it is being loaded comes once", async () => {
    // The load is still waiting for its bytes when the import gets them.
    const slow = { times: 1, bytesPerSecond: 20_000 };
    const noStore = { headers: { "Cache-Control": "no-store" } };
    api.server.hooks.push({ match: /regex-.*\.whl$/, ...slow, ...noStore }, { match: /regex-.*\.whl$/, ...noStore });
    const found = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      const loading = python.loadPackage("regex");
      await sleep(300);
      const state = `
[__import__("os").stat(path).st_ino for path in (regex.__file__, regex._regex_core.__file__)],
open(regex._regex_core.__file__).read(10)`;
      const { value: before } = await python.run(`exec("import regex, regex._regex_core")\n${state.trim()}`);
      const loaded = await loading;
      const { value: after } = await python.run(state.trim());
      python.dispose();
      return { before, after, loaded };
    });
    assert.deepEqual(found.after, found.before);
    assert.deepEqual(found.loaded, []);
    assert.equal(api.server.log.filter(({ path }) => /regex-.*\.whl$/.test(path)).length, 2, "both have asked");
  });
});

describe("side modules that take the place of others, on 314.0.7", { timeout: 300_000 }, () => {
  let api;
  let index;
  /** What msgpack's compiled module says of itself in the real wheel, and in another of ours. */
  const [REAL, OURS] = ["MessagePack Packer", "Packer of our own."];
  const which = `
from msgpack import _cmsgpack
next(line.strip() for line in _cmsgpack.Packer.__doc__.splitlines() if line.strip() in (${JSON.stringify(REAL)}, ${JSON.stringify(OURS)}))`;

  before(async () => {
    const folder = distributionFolder("314.0.7");
    const wheelOf = async (name) => (await readdir(folder)).find((file) => file.startsWith(`${name}-`));
    const file = await wheelOf("msgpack");
    const real = await realWheel(join(folder, file));
    const micropip = await realWheel(join(folder, await wheelOf("micropip")));
    // The folder has others than its lock file says.
    const lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    for (const name of ["msgpack", "micropip"]) delete lock.packages[name];
    const files = filesOf(real.bytes);
    for (const path of Object.keys(files)) {
      if (path.includes(".dist-info/")) delete files[path];
      else if (path.endsWith(".so")) files[path] = Buffer.from(files[path]);
    }
    const library = Object.entries(files).find(([path]) => path.endsWith(".so"))[1];
    const at = library.indexOf(REAL);
    assert.ok(at > 0);
    library.write(OURS, at, "latin1");
    const tag = file.replace(/^msgpack-[^-]+-(.*)\.whl$/, "$1");
    index = await startIndex([real, wheel("msgpack", "1.0.1", { files, tag }), micropip], { absolute: true });
    api = await openApiPage({ version: "314.0.7" });
    await api.evaluate(
      ([root, lockFileContents]) => {
        globalThis.fresh = () => start({ indexURLs: [root], lockFileContents });
      },
      [index.root, lock],
    );
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });

  it("an import links the file that is there, not one of a time that is undone", async () => {
    const found = await api.evaluate(async (which) => {
      const python = await fresh();
      const before = await python.checkpoint();
      await python.install("msgpack==1.0.1");
      const between = await python.checkpoint();
      await python.rollback(before);
      // Nobody compiles its side module beforehand.
      const found = [(await python.run(`exec("import msgpack")${which}`)).value];
      await python.rollback(between);
      found.push((await python.run(which)).value);
      await python.rollback(before);
      await python.install("msgpack>=1.1");
      found.push((await python.run(which)).value);
      python.dispose();
      return found;
    }, which);
    assert.deepEqual(found, [REAL, OURS, REAL]);
  });

  it("an import links the file that is there after another was taken away", async () => {
    const found = await api.evaluate(async (which) => {
      const python = await fresh();
      await python.install(["msgpack==1.0.1", "micropip"]);
      const code = `import micropip; micropip.uninstall("msgpack"); exec("import msgpack")${which}`;
      const { value } = await python.run(code);
      python.dispose();
      return value;
    }, which);
    assert.equal(found, REAL);
  });

  it("an import links the file as it has been written over", async () => {
    const found = await api.evaluate(
      async ([which, real, ours]) => {
        const python = await fresh();
        await python.install("msgpack>=1.1");
        const { value } = await python.run(`
import glob, sys
[path] = [path for folder in sys.path for path in glob.glob(f"{folder}/msgpack/_cmsgpack*.so")]
library = open(path, "rb").read()
with open(path, "r+b") as file:
    file.write(library.replace(b"${real}", b"${ours}"))${which}`);
        python.dispose();
        return value;
      },
      [which, REAL, OURS],
    );
    assert.equal(found, OURS);
  });
});
