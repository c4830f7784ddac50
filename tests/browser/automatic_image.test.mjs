/** The image that Taipan makes by itself when nothing runs: the next visit starts from it, with packages imported. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { openApiPage } from "../support/api-page.mjs";

/** In the page: the hashes of images that were made by themselves. */
const keptImages = async () => {
  const { names } = await readIndex();
  return Object.entries(names).flatMap(([name, hash]) => (/^automatic-image\/[0-9a-f]+$/.test(name) ? [hash] : []));
};

/** In the page: waits until what has been imported has been noted for an image that is kept; gives its hash. */
const imageWith = async (module) => {
  for (let waited = 0; waited < 300; waited += 1) {
    const { names } = await readIndex();
    for (const [name, hash] of Object.entries(names)) {
      if (!name.endsWith("/modules")) continue;
      // It may be replaced at this moment.
      const record = await readContent(hash).catch(() => new Uint8Array());
      const [outcome, ...modules] = new TextDecoder().decode(record).split("\n");
      const [image] = await keptImages();
      if (outcome === "made" && image && (module === undefined || modules.includes(module))) return image;
    }
    await sleep(200);
  }
  throw new Error(`No image is made: ${JSON.stringify(await readIndex())}`);
};

const HELPERS = `${KEPT_FUNCTIONS}
  globalThis.keptImages = ${keptImages};
  globalThis.imageWith = ${imageWith};
  /** A visit as pages make it, without a word about images. */
  globalThis.visit = (options) => start({ image: undefined, ...options });`;

describe("the image that is made by itself", { timeout: 900_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.context().addInitScript(HELPERS);
  });
  beforeEach(async () => {
    await api.page.reload();
    await api.page.waitForFunction(() => globalThis.isReady);
  });
  after(() => api?.close());

  const empty = () =>
    api.evaluate(async () => {
      const python = await start();
      await python.store.clear();
      python.dispose();
    });

  it("is made of what was imported, after a while, and the next visit starts from it", async () => {
    await empty();
    const found = await api.evaluate(async () => {
      const first = await visit({ onOutput: (output) => globalThis.stray?.push(output) });
      const random = "import random, uuid\n[random.random(), str(uuid.uuid4())]";
      await first.run("import six, bs4\nsecret = 'a user typed this'\nopen('mine.txt', 'w').write('mine')");
      const before = { image: first.timings.image, random: (await first.run(random)).value, ...first.features };
      await imageWith("bs4");
      const still = (await first.run("secret")).value;
      first.dispose();
      const outputs = [];
      const stages = new Set();
      const second = await visit({
        onOutput: (output) => outputs.push(output),
        onProgress: ({ stage }) => stages.add(stage),
        stdin: () => "answered",
      });
      const { timings } = second;
      const packages = (await second.loadedPackages()).map(({ name }) => name);
      const { value } = await second.run(
        "import sys, os\n['bs4' in sys.modules, 'secret' in globals(), os.path.exists('mine.txt'), input()]",
      );
      const after = { random: (await second.run(random)).value };
      const { value: text } = await second.run("import bs4; bs4.BeautifulSoup('<p>x', 'html.parser').p.text");
      second.dispose();
      const third = await visit();
      const again = (await third.run(random)).value;
      third.dispose();
      return { before, still, timings, packages, value, after, text, again, outputs, stages: [...stages] };
    });
    assert.equal(found.before.image, undefined);
    assert.equal(found.before.automaticImage, true);
    assert.equal(found.still, "a user typed this");
    assert.equal(found.timings.image, "automatic");
    assert.equal(found.timings.imageRefused, undefined);
    assert.deepEqual(found.value, [true, false, false, "answered"]);
    assert.ok(found.packages.includes("beautifulsoup4") && found.packages.includes("six"), `${found.packages}`);
    assert.equal(found.text, "x");
    const numbers = [found.before.random, found.after.random, found.again].flat();
    assert.equal(new Set(numbers).size, numbers.length, "no random number came twice");
    assert.deepEqual(found.outputs, []);
    assert.ok(found.stages.includes("ready"));
  });

  it("holds nothing that a user has typed, written, set or printed", async () => {
    const kept = await api.evaluate(async () => {
      const python = await visit();
      const needle = ["needle", "in", "memory"].join("-");
      await python.globals.set("given", needle);
      await python.fs.writeFile(`/home/pyodide/${needle}.txt`, needle);
      await python.run(`import pyparsing\nx = '${needle}'\nprint(x)`, { filename: `${needle}.py` });
      const image = await imageWith("pyparsing");
      python.dispose();
      const bytes = await readContent(image);
      const has = (text) => {
        const wanted = new TextEncoder().encode(text);
        for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
          if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return true;
        }
        return false;
      };
      return { needle: has(needle), module: has("pyparsing") };
    });
    assert.deepEqual(kept, { needle: false, module: true });
  });

  it("is made anew when a visit imports more, and then has all of it; not when it imports less", async () => {
    const found = await api.evaluate(async () => {
      const before = await imageWith();
      const third = await visit();
      await third.run("import six");
      await sleep(8000);
      const same = await imageWith();
      await third.run("import kiwisolver");
      const after = await imageWith("kiwisolver");
      third.dispose();
      const images = await keptImages();
      const fourth = await visit();
      const { value } = await fourth.run(
        "import sys; [name in sys.modules for name in ('kiwisolver', 'pyparsing', 'bs4')]",
      );
      const { image } = fourth.timings;
      fourth.dispose();
      return { changed: [before !== same, same !== after], images: images.length, value, image };
    });
    assert.deepEqual(found, { changed: [false, true], images: 1, value: [true, true, true], image: "automatic" });
  });

  it("has those side modules linked at once that the visit called after it had imported them", async () => {
    const visits = await api.evaluate(async () => {
      const program = "import numpy\nnumpy.random.default_rng(1).integers(9, size=3).tolist()";
      const visitTwice = async (uses) => {
        const other = await start();
        await other.store.clear();
        other.dispose();
        const first = await visit();
        await first.run("import kiwisolver, numpy");
        for (const code of uses) await first.run(code);
        await imageWith("kiwisolver");
        first.dispose();
        const second = await visit();
        const { image, modulesLinked } = second.timings;
        const { value } = await second.run(program);
        second.dispose();
        return { image, modulesLinked, value };
      };
      return [await visitTwice([]), await visitTwice([program])];
    });
    const [idle, busy] = visits;
    assert.deepEqual([idle.image, busy.image], ["automatic", "automatic"]);
    assert.deepEqual(idle.value, busy.value);
    assert.equal(idle.modulesLinked, 0);
    assert.ok(busy.modulesLinked > 0, "what was called is linked");
  });

  it("is made by one of two tabs, and both go on", async () => {
    await empty();
    const opening = api.page.waitForEvent("popup");
    await api.page.evaluate(() => void window.open("/"));
    const other = await opening;
    await other.waitForFunction(() => globalThis.isReady);
    const run = async () => {
      globalThis.made = [];
      const python = await visit({
        worker: () => {
          globalThis.made.push(1);
          return new Worker("/taipan/worker.js", { type: "module" });
        },
      });
      await python.run("import six");
      await imageWith("six");
      await sleep(6000);
      const { value } = await python.run("six.__name__");
      python.dispose();
      return { value, workers: globalThis.made.length };
    };
    const ended = await Promise.all([api.page.evaluate(run), other.evaluate(run)]);
    await other.close();
    assert.deepEqual(
      ended.map(({ value }) => value),
      ["six", "six"],
    );
    const workers = ended.reduce((sum, { workers }) => sum + workers, 0);
    assert.equal(workers, 3, "two visits, one image");
  });

  it("waits while something runs, and gives way to a run", async () => {
    await empty();
    const found = await api.evaluate(async () => {
      const workers = [];
      const python = await visit({
        worker: () => {
          const worker = new Worker("/taipan/worker.js", { type: "module" });
          worker.terminate = () => {
            worker.isEnded = true;
            Worker.prototype.terminate.call(worker);
          };
          workers.push(worker);
          return worker;
        },
      });
      await python.run("import six, asyncio; await asyncio.sleep(6)");
      const during = workers.length;
      for (let waited = 0; waited < 100 && workers.length < 2; waited += 1) await sleep(100);
      const { value } = await python.run("six.__name__");
      const isEnded = workers[1].isEnded === true;
      await imageWith("six");
      python.dispose();
      return { during, value, isEnded };
    });
    assert.deepEqual(found, { during: 1, value: "six", isEnded: true });
  });

  it("is neither used nor made where it is declined, nothing is kept, or there is an environment", async () => {
    const found = await api.evaluate(async () => {
      await imageWith("six");
      const starts = [];
      for (const options of [{ image: "none" }, { cache: "none" }, { env: { COURSE: "two" } }]) {
        const python = await visit(options);
        const { value } = await python.run("import os, idna; os.environ.get('COURSE')");
        starts.push([python.timings.image, python.features.automaticImage, value]);
        globalThis.last?.dispose();
        globalThis.last = python;
      }
      await sleep(6000);
      globalThis.last.dispose();
      return { starts, images: (await keptImages()).length };
    });
    assert.deepEqual(found.starts, [
      [undefined, false, undefined],
      [undefined, false, undefined],
      [undefined, false, "two"],
    ]);
    assert.equal(found.images, 1);
  });

  it("belongs to the packages that a start names, and `restart` uses it too", async () => {
    const found = await api.evaluate(async () => {
      const other = await visit({ packages: ["six"] });
      const otherImage = other.timings.image;
      other.dispose();
      const python = await visit();
      await python.run("mine = 1");
      await python.restart();
      const { value } = await python.run("import sys; ['six' in sys.modules, 'mine' in globals()]");
      const { image } = python.timings;
      python.dispose();
      return { otherImage, value, image };
    });
    assert.deepEqual(found, { otherImage: undefined, value: [true, false], image: "automatic" });
  });

  it("does not keep other versions from being installed", async () => {
    const found = await api.evaluate(async () => {
      const python = await visit();
      const { image } = python.timings;
      const outcome = await caught(python.install("six==0.0.1", { indexURLs: [] }));
      const after = python.timings.image;
      const { value } = await python.run("1 + 1");
      python.dispose();
      return { image, code: outcome.code, message: outcome.message, after, value };
    });
    assert.equal(found.image, "automatic");
    assert.equal(found.after, undefined, "Python has started again without it");
    assert.equal(found.value, 2);
    assert.doesNotMatch(found.message, /loaded/, "the answer is that of an interpreter without six");
  });

  it("that is damaged costs time and nothing else, and is made again", async () => {
    const found = await api.evaluate(async () => {
      const first = await visit();
      await first.run("import six");
      const image = await imageWith("six");
      first.dispose();
      const file = await (await keptContent()).getFileHandle(image);
      const { size } = await file.getFile();
      const writable = await file.createWritable({ keepExistingData: true });
      await writable.write({ type: "write", position: size - 5000, data: new Uint8Array(4000).fill(7) });
      await writable.close();
      const second = await visit();
      const { timings } = second;
      const { value } = await second.run("import six; six.__name__");
      await imageWith("six");
      second.dispose();
      const third = await visit();
      const healed = third.timings.image;
      third.dispose();
      return { timings, value, healed };
    });
    assert.equal(found.timings.image, undefined);
    assert.match(found.timings.imageRefused, /image/i);
    assert.equal(found.value, "six");
    assert.equal(found.healed, "automatic");
  });

  it("is forgotten when an interpreter that started from it breaks", async () => {
    const found = await api.evaluate(async () => {
      const python = await visit();
      const { image } = python.timings;
      const { code } = await caught(python.run("import ctypes\nctypes.string_at(0xfffffff0, 1024)"));
      await python.restart();
      const after = python.timings.image;
      const { value } = await python.run("3 + 4");
      const images = (await keptImages()).length;
      python.dispose();
      return { image, code, after, value, images };
    });
    assert.deepEqual(found, { image: "automatic", code: "FATAL", after: undefined, value: 7, images: 0 });
  });

  it("is not made where the browser asks to save data, or on small devices", async () => {
    const found = await api.evaluate(async () => {
      const seen = [];
      for (const [name, value] of [
        ["connection", { saveData: true }],
        ["deviceMemory", 2],
      ]) {
        Object.defineProperty(navigator, name, { value, configurable: true });
        const python = await visit();
        seen.push(python.features.automaticImage);
        python.dispose();
        delete navigator[name];
      }
      return seen;
    });
    assert.deepEqual(found, [false, false]);
  });

  it("goes with the store", async () => {
    await empty();
    const image = await api.evaluate(async () => {
      const python = await visit();
      const { image, imageRefused } = python.timings;
      python.dispose();
      return [image, imageRefused];
    });
    assert.deepEqual(image, [undefined, undefined]);
  });

  it("is not asked for where the browser denies storage", async () => {
    const found = await api.evaluate(async () => {
      const workers = [];
      const patch = `navigator.storage.getDirectory = () => Promise.reject(new DOMException("denied", "SecurityError"));
        Object.defineProperty(globalThis, "caches", { value: undefined });`;
      const patched = `data:text/javascript,${encodeURIComponent(patch)}`;
      const source = `import ${JSON.stringify(patched)}; import "${location.origin}/taipan/worker.js";`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const python = await visit({
        worker: () => {
          workers.push(1);
          return new Worker(url, { type: "module" });
        },
      });
      await python.run("import six");
      await sleep(7000);
      python.dispose();
      return { workers: workers.length, store: python.features.store };
    });
    assert.deepEqual(found, { workers: 1, store: "memory" });
  });
});
