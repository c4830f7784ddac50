/** What is kept from one visit to the next: packages and bytecode, by several tabs, with little room. */
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { HELPERS, hashOf, lock, useStorePage } from "./support/store-page.mjs";

describe("the store", { timeout: 300_000 }, () => {
  const api = useStorePage();

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
    assert.ok(api.wheelsAsked().length >= 3);
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
    assert.deepEqual(api.wheelsAsked(), []);
    assert.ok(second.inflated < 10, `${second.inflated} files were inflated`);
    const { file_name: name } = lock.packages.beautifulsoup4;
    const { size } = await stat(join(distributionFolder("0.28.3"), name));
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
    assert.deepEqual(api.wheelsAsked(), []);
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
    await api.empty();
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
    assert.equal(api.wheelsAsked().length, names.length);
    api.server.log.length = 0;
    const second = await visit();
    assert.deepEqual(api.wheelsAsked(), []);
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
    assert.equal(api.wheelsAsked().length, 1);
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
    assert.equal(api.wheelsAsked().length, 1);
  });

  it("is shared by tabs that start, write and clear at the same time", async () => {
    await api.empty();
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
    await api.empty();
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
    await api.empty();
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
});
