/** Where things are kept, by what a browser has and allows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hashOf, lock, useStorePage } from "./support/store-page.mjs";

describe("the store of a browser", { timeout: 300_000 }, () => {
  const api = useStorePage();

  it("is read by tabs at the same time where access handles are exclusive, or missing", async () => {
    await api.empty();
    const values = await api.evaluate(async (hash) => {
      const handles = "FileSystemFileHandle.prototype";
      const exclusive = `const create = ${handles}.createSyncAccessHandle;
        ${handles}.createSyncAccessHandle = function () { return create.call(this); };`;
      const missing = `delete ${handles}.createSyncAccessHandle;`;
      const first = await start({ worker: workerWith(missing) });
      await first.run("import six");
      await keptHashes(hash);
      first.dispose();
      const workers = [exclusive, exclusive, missing, exclusive].map(workerWith);
      const pythons = await Promise.all(workers.map((worker) => start({ worker })));
      const ended = await Promise.all(pythons.map((python) => python.run("import six; six.__version__")));
      const stores = pythons.map((python) => python.features.store);
      for (const python of pythons) python.dispose();
      return ended.map(({ value }, place) => [value, stores[place]]);
    }, hashOf("six"));
    assert.deepEqual(values, Array(4).fill([lock.packages.six.version, "opfs"]));
    assert.equal(api.wheelsAsked().length, 1, "that of the first visit");
  });

  it("is in the Cache API where there is no file system", async () => {
    const visit = () =>
      api.evaluate(async () => {
        const notices = [];
        const python = await start({ worker: workerWith(NO_OPFS), onNotice: (notice) => notices.push(notice) });
        const { value } = await python.run("import os, six; os.path.exists(six.__spec__.cached)");
        for (let waited = 0; waited < 50 && (await python.store.usage()).entries < 3; waited += 1) await sleep(200);
        const usage = await python.store.usage();
        python.dispose();
        return { value, usage, notices, store: python.features.store };
      });
    const first = await visit();
    assert.equal(first.store, "cache");
    assert.ok(first.usage.entries >= 3, "six, its bytecode, our own");
    assert.deepEqual(first.notices, []);
    api.server.log.length = 0;
    const second = await visit();
    assert.deepEqual([first.value, second.value], [false, true], "its bytecode");
    assert.deepEqual(api.wheelsAsked(), []);
  });

  it("is in memory where storage is denied, and the page is told", async () => {
    const found = await api.evaluate(async () => {
      const notices = [];
      const worker = workerWith(NO_OPFS + NO_CACHE);
      const python = await start({ worker, onNotice: (notice) => notices.push(notice) });
      const { value } = await python.run("import six; six.__version__");
      const usage = await python.store.usage();
      await python.store.clear();
      python.dispose();
      return { value, usage, notices, store: python.features.store };
    });
    assert.equal(found.value, lock.packages.six.version);
    assert.equal(found.store, "memory");
    assert.deepEqual({ ...found.usage, limit: 0 }, { bytes: 0, limit: 0, entries: 0, backend: "memory" });
    assert.deepEqual(
      found.notices.map(({ code }) => code),
      ["STORE_IN_MEMORY"],
    );
  });

  it("does not hold a start up when storage never answers", async () => {
    const found = await api.evaluate(async () => {
      const worker = workerWith("StorageManager.prototype.getDirectory = () => new Promise(() => {});");
      const python = await start({ worker });
      const { value } = await python.run("1 + 1");
      python.dispose();
      return [value, python.features.store];
    });
    assert.deepEqual(found, [2, "memory"]);
  });

  it("needs no locks", async () => {
    await api.empty();
    const found = await api.evaluate(async (hash) => {
      const worker = workerWith("Object.defineProperty(WorkerNavigator.prototype, 'locks', { value: undefined });");
      const pythons = await Promise.all([start({ worker }), start({ worker })]);
      await Promise.all(pythons.map((python) => python.run("import six")));
      await keptHashes(hash);
      for (const python of pythons) python.dispose();
      const python = await start();
      const { value } = await python.run("import six; six.__version__");
      python.dispose();
      return value;
    }, hashOf("six"));
    assert.equal(found, lock.packages.six.version);
  });

  it("goes without a file that another tab does not let go of, and keeps the others", async () => {
    await api.empty();
    const found = await api.evaluate(
      async ([held, hash]) => {
        const busy = `const create = FileSystemFileHandle.prototype.createSyncAccessHandle;
          FileSystemFileHandle.prototype.createSyncAccessHandle = function (options) {
            if (this.name !== "${held}") return create.call(this, options);
            return Promise.reject(new DOMException("It is open.", "NoModificationAllowedError"));
          };`;
        const notices = [];
        const python = await start({ worker: workerWith(busy), onNotice: (notice) => notices.push(notice) });
        await python.loadPackage(["six", "idna"]);
        const { content } = await keptHashes(hash);
        await sleep(1500);
        const { backend } = await python.store.usage();
        python.dispose();
        return { isHeldKept: held in content || held in (await readIndex()).content, backend, notices };
      },
      [hashOf("six"), hashOf("idna")],
    );
    assert.deepEqual(found, { isHeldKept: false, backend: "opfs", notices: [] });
  });

  it("goes on in memory when the browser has no room, and the page is told", async () => {
    await api.empty();
    const session = await api.page.context().newCDPSession(api.page);
    const override = (quotaSize) =>
      session.send("Storage.overrideQuotaForOrigin", { origin: api.server.url, ...(quotaSize && { quotaSize }) });
    await override(1000);
    const found = await api.evaluate(async () => {
      const notices = [];
      // A limit of our own, so that it is the browser that says no.
      const python = await start({ cacheLimit: 100_000_000, onNotice: (notice) => notices.push(notice) });
      const { value } = await python.run("import six; six.__version__");
      for (let waited = 0; waited < 50 && notices.length === 0; waited += 1) await sleep(200);
      const again = await python.run("import idna; idna.__name__");
      python.dispose();
      return { values: [value, again.value], notices, store: python.features.store };
    });
    await override();
    assert.deepEqual(found.values, [lock.packages.six.version, "idna"]);
    assert.deepEqual([found.store, found.notices.map(({ code }) => code)], ["memory", ["STORE_IN_MEMORY"]]);
    assert.match(found.notices[0].message, /quota/i);
  });
});
