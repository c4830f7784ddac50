/** Images of interpreters with packages that are in no lock file: all their files are there when they are restored. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { startIndex, wheel } from "../support/simple-index.mjs";

const offered = (name) =>
  wheel(name, "1.0", {
    files: { [`${name}/__init__.py`]: "", [`${name}/later.py`]: `name = "${name}"\n`, [`${name}/data.txt`]: "data" },
  });

describe("an image of", { timeout: 300_000 }, () => {
  let api;
  let index;
  before(async () => {
    index = await startIndex(["by_micropip", "by_index", "by_address", "of_pyodide"].map(offered), { absolute: true });
    api = await openApiPage();
    await api.evaluate((root) => {
      globalThis.root = root;
      /** Restores what is there after some code, and reads what nobody has read of a package before. */
      globalThis.readRestored = async (python, name) => {
        await python.run(`import ${name}`);
        const url = URL.createObjectURL(await python.bake());
        python.dispose();
        const restored = await start({ image: url });
        URL.revokeObjectURL(url);
        const { value } = await restored.run(`
import importlib.metadata, importlib.resources, ${name}.later
[${name}.later.name, importlib.resources.files("${name}").joinpath("data.txt").read_text(),
 importlib.metadata.version("${name}")]`);
        restored.dispose();
        return { value, refused: restored.timings.imageRefused };
      };
    }, index.root);
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });
  const check = (found, name) => assert.deepEqual(found, { value: [name, "data", "1.0"], refused: undefined });

  it("a package that micropip has installed from an index", async () => {
    index.log.length = 0;
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run(`import micropip; await micropip.install("by_micropip", index_urls="${root}")`);
      return readRestored(python, "by_micropip");
    });
    check(found, "by_micropip");
    const asked = index.log.filter(({ path }) => path.endsWith("by_micropip-1.0-py3-none-any.whl"));
    assert.equal(asked.length, 2, "the image refers to where it is");
  });

  it("a package that micropip has installed from a file", async () => {
    const found = await api.evaluate(
      async (bytes) => {
        const python = await start();
        await python.fs.writeFile("/tmp/from_file-1.0-py3-none-any.whl", new Uint8Array(bytes));
        await python.run('import micropip; await micropip.install("emfs:/tmp/from_file-1.0-py3-none-any.whl")');
        return readRestored(python, "from_file");
      },
      [...offered("from_file").bytes],
    );
    check(found, "from_file");
  });

  it("a wheel of Python's own file system", async () => {
    const found = await api.evaluate(
      async (bytes) => {
        const python = await start();
        await python.fs.writeFile("/tmp/local_wheel-1.0-py3-none-any.whl", new Uint8Array(bytes));
        await python.install("emfs:/tmp/local_wheel-1.0-py3-none-any.whl");
        return readRestored(python, "local_wheel");
      },
      [...offered("local_wheel").bytes],
    );
    check(found, "local_wheel");
  });

  it("packages of an index and at an address", async () => {
    const found = await api.evaluate(async (url) => {
      const python = await start({ indexURLs: [root] });
      await python.install("by_index");
      const first = await readRestored(python, "by_index");
      const other = await start();
      await other.loadPackage(`${url}/files/by_address-1.0-py3-none-any.whl`);
      return [first, await readRestored(other, "by_address")];
    }, index.url);
    check(found[0], "by_index");
    check(found[1], "by_address");
  });

  it("a side module that an import has linked while everything waited", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run('exec("import kiwisolver")');
      const url = URL.createObjectURL(await python.bake());
      python.dispose();
      const restored = await start({ image: url });
      const { value } = await restored.run("(kiwisolver.Variable('x') >= 1).op()");
      restored.dispose();
      return { value, refused: restored.timings.imageRefused };
    });
    assert.deepEqual(found, { value: ">=", refused: undefined });
  });
});
