/** What is kept from one visit to the next: packages and bytecode, by several tabs, with little room, and with none. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

const lock = JSON.parse(await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8"));

const hashOf = (name) => lock.packages[name].sha256;

/** In the page: waits until what is kept is as wanted; the index as it then is. */
const keptWhen = async (condition) => {
  for (let waited = 0; waited < 150; waited += 1) {
    const index = await readIndex();
    if (condition(index)) return index;
    await sleep(200);
  }
  throw new Error(`It does not come: ${JSON.stringify(await readIndex())}`);
};

/** In the page: waits until these hashes are kept. */
const keptHashes = (...hashes) => keptWhen(({ content }) => hashes.every((hash) => content[hash]));

/** In the page: a worker in which something of the browser is missing. */
const workerWith = (patch) => () => {
  const patched = `data:text/javascript,${encodeURIComponent(patch)}`;
  const source = `import ${JSON.stringify(patched)}; import "${location.origin}/taipan/worker.js";`;
  return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
};

const HELPERS = `${KEPT_FUNCTIONS}
  globalThis.keptWhen = ${keptWhen};
  globalThis.keptHashes = ${keptHashes};
  globalThis.workerWith = ${workerWith};
  globalThis.deny = (object, method) =>
    object + "." + method + " = () => Promise.reject(new DOMException('denied', 'SecurityError'));";
  globalThis.NO_OPFS = deny("StorageManager.prototype", "getDirectory");
  globalThis.NO_CACHE = deny("CacheStorage.prototype", "open");`;

describe("the store", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.evaluate(HELPERS);
  });
  after(() => api?.close());
  beforeEach(() => {
    api.server.log.length = 0;
    api.server.hooks.length = 0;
  });

  const wheelsAsked = () => api.server.log.filter(({ path }) => path.endsWith(".whl")).map(({ path }) => path);
  const empty = () => api.evaluate(async () => (await shared()).store.clear());

  it("is in the origin private file system, starts empty and says how much it may hold", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const { store } = python.features;
      const usage = await python.store.usage();
      python.dispose();
      return { store, usage };
    });
    assert.equal(found.store, "opfs");
    assert.deepEqual({ ...found.usage, limit: 0 }, { bytes: 0, limit: 0, entries: 0, backend: "opfs" });
    assert.ok(found.usage.limit > 10_000_000 && found.usage.limit <= 512 * 1024 * 1024);
  });

  it("gives the second visit its packages without asking the server", async () => {
    const wheels = [hashOf("six"), hashOf("beautifulsoup4"), hashOf("soupsieve")];
    const first = await api.evaluate(async (hashes) => {
      const python = await start();
      await python.run("import six, bs4");
      const index = await keptHashes(...hashes);
      const usage = await python.store.usage();
      python.dispose();
      return { usage, sizes: Object.values(index.content) };
    }, wheels);
    assert.ok(wheelsAsked().length >= 3);
    assert.equal(first.usage.entries, first.sizes.length);
    assert.equal(
      first.usage.bytes,
      first.sizes.reduce((sum, size) => sum + size),
    );

    api.server.log.length = 0;
    const second = await api.evaluate(async () => {
      const progress = [];
      const python = await start({ onProgress: (step) => progress.push(step) });
      const { value } = await python.run("import bs4; bs4.BeautifulSoup('<p>kept', 'html.parser').p.text");
      python.dispose();
      return { value, progress, inflated: python.timings.filesInflated };
    });
    assert.equal(second.value, "kept");
    assert.deepEqual(wheelsAsked(), []);
    assert.ok(second.inflated < 10, `${second.inflated} files were inflated`);
    const { file_name: name } = lock.packages.beautifulsoup4;
    const { size } = await import("node:fs/promises").then(({ stat }) =>
      stat(join(distributionFolder("0.28.3"), name)),
    );
    const last = second.progress.findLast((step) => step.name === "beautifulsoup4");
    assert.deepEqual(last, { stage: "download", name: "beautifulsoup4", loaded: size, total: size });
  });

  it("serves imports that cannot wait, bytecode included, once the interpreter has been idle", async () => {
    const { value } = await api.evaluate(async () => {
      const python = await start();
      // Time to lay out what is kept.
      await sleep(3000);
      const result = await python.run(
        "import os; m = __import__('s' + 'ix'); [m.__version__, os.path.exists(m.__spec__.cached)]",
      );
      python.dispose();
      return result;
    });
    assert.deepEqual(value, [lock.packages.six.version, true]);
    assert.deepEqual(wheelsAsked(), []);
  });

  it("never keeps less bytecode than it had", async () => {
    const [before, after] = await api.evaluate(async (hash) => {
      const pack = async () => {
        const { names } = await readIndex();
        const name = names[Object.keys(names).find((key) => key.endsWith(hash))];
        return { name, text: name && new TextDecoder("latin1").decode(await readContent(name)) };
      };
      const has = ({ text }) =>
        ["bs4/__pycache__/diagnose", "bs4/__pycache__/__init__"].map((path) => text.includes(path));
      const first = await start();
      await first.run("import bs4.diagnose");
      await keptWhen(() => true);
      for (let waited = 0; waited < 50 && !has(await pack())[0]; waited += 1) await sleep(200);
      const before = await pack();
      first.dispose();
      // Not laid out yet, so this import compiles; and it does not import everything that is kept.
      const second = await start();
      await second.run("__import__('bs' + '4').__name__");
      await second.run("import bs4.dammit");
      await sleep(4000);
      second.dispose();
      return [has(before), has(await pack())];
    }, hashOf("beautifulsoup4"));
    assert.deepEqual(before, [true, true]);
    assert.deepEqual(after, [true, true]);
  });

  it("keeps packages of many megabytes", async () => {
    await empty();
    const visit = (...hashes) =>
      api.evaluate(async (hashes) => {
        const python = await start();
        await python.loadPackage("pandas");
        await keptHashes(...hashes);
        const { bytesFetched } = python.timings;
        python.dispose();
        return bytesFetched;
      }, hashes);
    const names = ["pandas", "numpy", "python-dateutil", "pytz", "six"];
    const first = await visit(...names.map(hashOf));
    assert.equal(wheelsAsked().length, names.length);
    api.server.log.length = 0;
    const second = await visit();
    assert.deepEqual(wheelsAsked(), []);
    assert.ok(first - second > 8_000_000, `${first - second} bytes less`);
  });

  it("throws away what is damaged, and gets it anew", async () => {
    const found = await api.evaluate(async (hash) => {
      for await (const handle of (await keptContent()).values()) {
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        bytes[bytes.length >> 1] ^= 0xff;
        const file = await handle.createWritable();
        await file.write(bytes);
        await file.close();
      }
      const python = await start();
      const { value } = await python.run("import six; six.__version__");
      await keptHashes(hash);
      python.dispose();
      const digest = await crypto.subtle.digest("SHA-256", await readContent(hash));
      return { value, hash: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("") };
    }, hashOf("six"));
    assert.equal(found.value, lock.packages.six.version);
    assert.equal(found.hash, hashOf("six"), "it was kept again, whole");
    assert.equal(wheelsAsked().length, 1);
  });

  it("takes a file that was cut short by a tab that closed for absent", async () => {
    const value = await api.evaluate(async (hash) => {
      const handle = await (await keptContent()).getFileHandle(hash);
      const file = await handle.createWritable({ keepExistingData: true });
      await file.truncate(5000);
      await file.close();
      const python = await start();
      const result = await python.run("import six; six.__version__");
      python.dispose();
      return result.value;
    }, hashOf("six"));
    assert.equal(value, lock.packages.six.version);
    assert.equal(wheelsAsked().length, 1);
  });

  it("is shared by tabs that start, write and clear at the same time", async () => {
    await empty();
    const [other] = await Promise.all([
      api.page.waitForEvent("popup"),
      api.evaluate(() => {
        window.open("/");
      }),
    ]);
    await other.waitForFunction(() => globalThis.isReady);
    await other.evaluate(HELPERS);
    const visit = (page, module) =>
      page.evaluate(async (name) => {
        const pythons = await Promise.all([start(), start()]);
        const ended = await Promise.all(pythons.map((python) => python.run(`import ${name}; ${name}.__name__`)));
        globalThis.tabs = pythons;
        return ended.map(({ value }) => value);
      }, module);
    const [here, there] = await Promise.all([visit(api.page, "idna"), visit(other, "certifi")]);
    assert.deepEqual([...here, ...there], ["idna", "idna", "certifi", "certifi"]);
    const usage = await api.evaluate(
      async (hashes) => {
        await keptHashes(...hashes);
        const usage = await tabs[0].store.usage();
        return usage;
      },
      [hashOf("idna"), hashOf("certifi")],
    );
    assert.ok(usage.entries >= 4, "both wheels and their bytecode");

    const [, cleared] = await Promise.all([
      other.evaluate(async () => {
        const python = await start();
        const { value } = await python.run("import idna, certifi; idna.__name__");
        python.dispose();
        return value;
      }),
      api.evaluate(async () => {
        await tabs[0].store.clear();
        return (await tabs[1].run("import idna.core; idna.core.__name__")).value;
      }),
    ]);
    assert.equal(cleared, "idna.core");
    await api.evaluate(() => {
      for (const python of globalThis.tabs) python.dispose();
    });
    await other.close();
  });

  it("can be cleared, and keeps anew", async () => {
    const found = await api.evaluate(async (hash) => {
      const python = await start();
      await python.run("import six");
      await keptHashes(hash);
      await python.store.clear();
      const cleared = await python.store.usage();
      await python.loadPackage("idna");
      await keptWhen(({ content }) => Object.keys(content).length > 0);
      const after = await python.store.usage();
      python.dispose();
      return { cleared, after };
    }, hashOf("six"));
    assert.equal(found.cleared.bytes, 0);
    assert.equal(found.cleared.entries, 0);
    assert.ok(found.after.bytes > 0);
  });

  it("stays within its limit: the least recently used goes", async () => {
    await empty();
    const LIMIT = 350_000;
    const visit = (name) =>
      api.evaluate(
        async ([packageName, hash, cacheLimit]) => {
          const python = await start({ cacheLimit });
          await python.loadPackage(packageName);
          const index = await keptHashes(hash);
          // Uses are noted after things are kept.
          await sleep(1500);
          const usage = await python.store.usage();
          python.dispose();
          return { usage, hashes: Object.keys((await readIndex()).content), index };
        },
        [name, hashOf(name), LIMIT],
      );
    await visit("idna");
    await visit("certifi");
    assert.ok((await visit("idna")).hashes.includes(hashOf("certifi")), "there is room for both");
    const { usage, hashes } = await visit("beautifulsoup4");
    assert.equal(usage.limit, LIMIT);
    assert.ok(usage.bytes <= LIMIT, `${usage.bytes} bytes`);
    assert.ok(hashes.includes(hashOf("idna")) && hashes.includes(hashOf("beautifulsoup4")));
    assert.ok(!hashes.includes(hashOf("certifi")), "it was not used for longest");
  });

  it("keeps nothing with a limit of nothing, and where nobody wants it", async () => {
    await empty();
    const found = await api.evaluate(async () => {
      const result = [];
      for (const options of [{ cacheLimit: 0 }, { cache: "none" }]) {
        const python = await start(options);
        await python.run("import six");
        await sleep(2500);
        result.push([python.features.store, await python.store.usage()]);
        python.dispose();
      }
      return result;
    });
    assert.deepEqual(found, [
      ["opfs", { bytes: 0, limit: 0, entries: 0, backend: "opfs" }],
      ["none", { bytes: 0, limit: 0, entries: 0, backend: "none" }],
    ]);
  });

  it("is read by tabs at the same time where access handles are exclusive, or missing", async () => {
    await empty();
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
    assert.equal(wheelsAsked().length, 1, "that of the first visit");
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
    assert.deepEqual(wheelsAsked(), []);
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
    await empty();
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
    await empty();
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
    await empty();
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
