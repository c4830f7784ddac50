/** Images that are damaged, half written or of another make: Python starts from the beginning, and says why. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { OPEN_TO_WRITE } from "../support/kept-file.mjs";

/** What the tests find in the page. */
const HELPERS = `${KEPT_FUNCTIONS} ${OPEN_TO_WRITE}
  /** The file of the image that is kept under a name. */
  globalThis.imageFile = async (name) => {
    const { names } = await readIndex();
    const hash = names["image/" + name];
    return hash && (await keptContent()).getFileHandle(hash);
  };
  globalThis.openToWrite = async (name) => openFileToWrite(await imageFile(name));
  /** Keeps an image of Python with a variable in it. */
  globalThis.keep = async (name, value) => {
    const python = await start();
    await python.run("import six; value = " + value);
    await python.bake({ name });
    return python;
  };
  /** Starts from an image; says what became of it. */
  globalThis.outcome = async (options) => {
    const python = await start(options);
    const { value } = await python.run("globals().get('value', 'none')");
    const sum = (await python.run("1 + 1")).value;
    const { imageRefused } = python.timings;
    python.dispose();
    return { value, sum, ...(imageRefused && { imageRefused }) };
  };`;

describe("images that are of no use", { timeout: 600_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.evaluate(HELPERS);
  });
  after(() => api?.close());
  beforeEach(() => api.evaluate(async () => (await shared()).store.clear()));

  for (const what of ["cut short", "damaged", "emptied"]) {
    it(`kept and then ${what}: refused once, and removed`, async () => {
      const found = await api.evaluate(async (what) => {
        (await keep("lesson", 7)).dispose();
        const whole = await outcome({ image: { name: "lesson" } });
        const { file, size } = await openToWrite("lesson");
        if (what === "cut short") await file.truncate(size >> 1);
        if (what === "emptied") await file.truncate(0);
        // Somewhere in the pages of memory, which come last.
        if (what === "damaged")
          await file.write({ type: "write", position: size - 5000, data: new Uint8Array(64).fill(90) });
        await file.close();
        return {
          whole,
          first: await outcome({ image: { name: "lesson" } }),
          second: await outcome({ image: { name: "lesson" } }),
          left: Boolean(await imageFile("lesson")),
        };
      }, what);
      assert.deepEqual(found.whole, { value: 7, sum: 2 });
      assert.equal(found.first.value, "none");
      assert.equal(found.first.sum, 2);
      assert.match(found.first.imageRefused, /image/i);
      assert.match(found.second.imageRefused, /No image "lesson" is kept/);
      assert.equal(found.left, false);
    });
  }

  it("with one wrong bit anywhere in memory: refused", async () => {
    const found = await api.evaluate(async () => {
      const outcomes = [];
      // Pages that are copied while the module is compiled, such that are copied when it has started, and what is between.
      for (const part of [0.05, 0.3, 0.6, 0.95]) {
        (await keep("lesson", 7)).dispose();
        const { handle, size, file } = await openToWrite("lesson");
        const position = Math.floor(size * part);
        const [byte] = new Uint8Array(await (await handle.getFile()).slice(position, position + 1).arrayBuffer());
        await file.write({ type: "write", position, data: new Uint8Array([byte ^ 16]) });
        await file.close();
        outcomes.push(await outcome({ image: { name: "lesson" } }));
      }
      return outcomes;
    });
    for (const { value, sum, imageRefused } of found) {
      assert.deepEqual({ value, sum }, { value: "none", sum: 2 });
      assert.match(imageRefused, /chunk \d+ of its part memory is damaged/);
    }
  });

  it("of another release of a package are refused, and say of which", async () => {
    const lockFile = JSON.parse(await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8"));
    lockFile.packages.six.version = "1.99.0";
    const found = await api.evaluate(async (lockFileContents) => {
      (await keep("lesson", 7)).dispose();
      const other = await outcome({ image: { name: "lesson" }, lockFileContents });
      return { other, again: await outcome({ image: { name: "lesson" } }) };
    }, lockFile);
    assert.equal(found.other.value, "none");
    assert.match(found.other.imageRefused, /six 1\.17\.0, the page wants 1\.99\.0/);
    // It is whole, and fits the page that it was baked for.
    assert.deepEqual(found.again, { value: 7, sum: 2 });
  });

  it("that the browser has no room for: that is said, Python goes on, and what was kept stays", async () => {
    const session = await api.page.context().newCDPSession(api.page);
    const override = (quotaSize) =>
      session.send("Storage.overrideQuotaForOrigin", { origin: api.server.url, ...(quotaSize && { quotaSize }) });
    await api.evaluate(async () => (await keep("lesson", 1)).dispose());
    const { usage } = await api.evaluate(() => navigator.storage.estimate());
    await override(usage + 1_000_000);
    const found = await api.evaluate(async () => {
      const python = await start({ cacheLimit: 400_000_000 });
      await python.run("value = 2");
      const failure = await caught(python.bake({ name: "other" }));
      const { value } = await python.run("value + 1");
      python.dispose();
      return { failure, value };
    });
    await override();
    assert.equal(found.failure.code, "OUT_OF_MEMORY");
    assert.match(found.failure.message, /"other"/);
    assert.equal(found.value, 3);
    assert.deepEqual(await api.evaluate(() => outcome({ image: { name: "lesson" } })), { value: 1, sum: 2 });
    assert.match(
      (await api.evaluate(() => outcome({ image: { name: "other" } }))).imageRefused,
      /No image "other" is kept/,
    );
  });

  it("that have a name make room for nothing, and take the place of their own", async () => {
    const found = await api.evaluate(async () => {
      (await keep("lesson", 1)).dispose();
      const { size } = await await (await imageFile("lesson")).getFile();
      const cacheLimit = Math.floor(size * 1.5);
      const other = await start({ cacheLimit });
      await other.run("value = 2");
      const failure = await caught(other.bake({ name: "other" }));
      await other.loadPackage(["numpy", "pandas"]);
      // Packages are kept when nothing has run for a while.
      await sleep(4000);
      const first = await outcome({ image: { name: "lesson" } });
      await other.bake({ name: "lesson" });
      const names = (await other.images()).map(({ name }) => name);
      const { bytes } = await other.store.usage();
      other.dispose();
      return { failure, first, second: await outcome({ image: { name: "lesson" } }), names, bytes, cacheLimit };
    });
    assert.equal(found.failure.code, "OUT_OF_MEMORY");
    assert.match(found.failure.hint, /forgetImage/);
    assert.match(found.failure.hint, /cacheLimit/);
    assert.deepEqual(found.first, { value: 1, sum: 2 });
    assert.deepEqual(found.second, { value: 2, sum: 2 });
    assert.deepEqual(found.names, ["lesson"]);
    assert.ok(found.bytes <= found.cacheLimit, `${found.bytes} of ${found.cacheLimit} bytes`);
  });

  it("whose tab was closed while they were written: the one before stays, or the new one is whole", async () => {
    await api.evaluate(async () => (await keep("lesson", 1)).dispose());
    for (const wait of [0, 20, 60, 150, 400]) {
      const [other] = await Promise.all([api.page.waitForEvent("popup"), api.evaluate(() => void window.open("/"))]);
      await other.waitForFunction(() => globalThis.isReady);
      await other.evaluate(async () => {
        globalThis.python = await start();
        await python.run("value = 2");
        // Whoever closes the tab does not wait.
        void python.bake({ name: "lesson" });
      });
      await other.waitForTimeout(wait);
      await other.close();
      const found = await api.evaluate(() => outcome({ image: { name: "lesson" } }));
      assert.equal(found.sum, 2);
      assert.equal(found.imageRefused, undefined, `closed after ${wait} ms`);
      assert.ok([1, 2].includes(found.value), String(found.value));
    }
  });

  it("that two tabs bake under one name: one of them is kept, whole", async () => {
    const [other] = await Promise.all([api.page.waitForEvent("popup"), api.evaluate(() => void window.open("/"))]);
    await other.waitForFunction(() => globalThis.isReady);
    await other.evaluate(HELPERS);
    const bake = (page, value) => page.evaluate(async (value) => (await keep("lesson", value)).dispose(), value);
    await Promise.all([bake(api.page, 1), bake(other, 2)]);
    await other.close();
    const found = await api.evaluate(() => outcome({ image: { name: "lesson" } }));
    assert.equal(found.imageRefused, undefined);
    assert.ok([1, 2].includes(found.value), String(found.value));
    const images = await api.evaluate(async () =>
      Object.keys((await readIndex()).names).filter((name) => name.startsWith("image/")),
    );
    assert.deepEqual(images, ["image/lesson"]);
  });
});
