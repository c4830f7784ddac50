/** What Chromium keeps of a first visit: the code that it made of scripts and of CPython, so that the next makes none of it. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { IMAGE, imagePlace, putImage } from "./support/image-place.mjs";

/** A folder for each test: what is known, and what is kept, goes by the address. */
const FOLDERS = ["/named/", "/address/", "/run/", "/little/", "/known/", "/nothing/"];
const folder = { folder: distributionFolder("0.28.3"), immutable: true };

/** The bytes of code that were kept of the glue, and of the worker's script, most functions of which a worker calls. */
function assertAreScripts({ glue, script }) {
  assert.ok(glue > 100_000, `${glue} bytes of the glue`);
  assert.ok(script > 150_000, `${script} bytes of the worker's script`);
}

function assertIsModule({ module }) {
  assert.ok(module > 800_000, `${module} bytes of CPython's module`);
}

/** In the page: the first visit of a folder. What the rest of a visit does is done when it has ended. */
const begin = async (options) => {
  globalThis.python = await start(options);
  return { image: python.timings.image, value: (await python.run("1 + 1")).value };
};

describe("what was compiled", { timeout: 120_000 }, () => {
  let api;
  // Each with a browser of its own: what is compiled of a module is one page's and another's, wherever they have it from.
  beforeEach(async () => {
    const roots = Object.fromEntries(FOLDERS.map((name) => [name, folder]));
    api = await openApiPage({ roots, handlers: imagePlace().handlers });
    await api.evaluate(putImage, [IMAGE, {}, "pass"]);
  });
  afterEach(() => api?.close());

  /** Waits until so many workers are there. */
  async function untilWorkers(count) {
    for (let waited = 0; api.page.workers().length !== count; waited += 1) {
      assert.ok(waited < 100, `${api.page.workers().length} workers`);
      await sleep(100);
    }
  }

  /** Waits until Python has been rehearsed, or the glue evaluated. */
  async function untilRehearsed() {
    await untilWorkers(2);
    await untilWorkers(1);
  }

  /** Starts Python on the next visit: how many bytes of code that the browser had kept of each file it took. */
  async function takenBy(options) {
    await api.visit();
    const session = await api.page.context().newCDPSession(api.page);
    await session.send("Tracing.start", {
      transferMode: "ReturnAsStream",
      traceConfig: {
        includedCategories: ["v8", "devtools.timeline", "disabled-by-default-devtools.timeline"],
        excludedCategories: ["*"],
      },
    });
    const started = await api.evaluate(begin, options);
    const ended = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.end");
    const { stream } = await ended;
    const parts = [];
    for (let isEnd = false; !isEnd; ) {
      const { data, eof, base64Encoded } = await session.send("IO.read", { handle: stream });
      parts.push(Buffer.from(data, base64Encoded ? "base64" : "utf8"));
      isEnd = eof;
    }
    await session.detach();
    const { traceEvents } = JSON.parse(Buffer.concat(parts).toString());
    const takenOf = (script) => {
      const isOf = ({ name, args }) => name === "v8.compileModule" && args.data.url.endsWith(script);
      const compiled = traceEvents.filter(isOf);
      assert.equal(compiled.length, 1);
      return compiled[0].args.data.consumedCacheSize ?? 0;
    };
    const hit = traceEvents.find(
      ({ name, args }) => name === "v8.wasm.moduleCacheHit" && args.url.endsWith("/pyodide.asm.wasm"),
    );
    const taken = { glue: takenOf("/pyodide.asm.js"), script: takenOf("/wasm/engine.js") };
    return { ...started, taken: { ...taken, module: hit?.args.consumedCacheSize ?? 0 } };
  }

  it("is there for the visit after one that kept an image", async () => {
    await api.evaluate(begin, { indexURL: "/named/" });
    await api.evaluate(() => python.bake({ name: "one" }));
    await untilRehearsed();
    const { taken, ...started } = await takenBy({ indexURL: "/named/", image: { name: "one" } });
    assert.deepEqual(started, { image: "name", value: 2 });
    assertAreScripts(taken);
    assertIsModule(taken);
  });

  it("is there for the visit after one that started from a server's image", async () => {
    const options = { indexURL: "/address/", image: IMAGE };
    assert.deepEqual(await api.evaluate(begin, options), { image: "address", value: 2 });
    await untilRehearsed();
    const { taken, ...started } = await takenBy(options);
    assert.deepEqual(started, { image: "address", value: 2 });
    assertAreScripts(taken);
    assertIsModule(taken);
  });

  it("is made after a run and an image that come between", async () => {
    const options = { indexURL: "/run/", image: IMAGE };
    await api.evaluate(begin, options);
    await untilWorkers(2);
    assert.equal(await api.evaluate(async () => (await python.run("2 + 2")).value), 4);
    await untilWorkers(1);
    // The run has ended the first.
    await untilWorkers(2);
    await api.evaluate(async () => void (await python.bake()));
    await untilWorkers(1);
    await untilRehearsed();
    assertIsModule((await takenBy(options)).taken);
  });

  it("is made once", async () => {
    await api.evaluate(begin, { indexURL: "/known/" });
    await api.visit();
    const made = [];
    api.page.on("worker", (worker) => made.push(worker));
    await api.evaluate(begin, { indexURL: "/known/" });
    await api.evaluate(() => python.bake({ name: "two" }));
    await sleep(2500);
    assert.equal(made.length, 1);
  });

  it("is not made where nothing may be kept, or Python has been given up", async () => {
    const made = [];
    api.page.on("worker", (worker) => made.push(worker));
    await api.evaluate(begin, { indexURL: "/nothing/", image: IMAGE, cache: "none" });
    await sleep(2500);
    await api.evaluate(() => python.dispose());
    await api.evaluate(begin, { indexURL: "/nothing/", image: IMAGE });
    await api.evaluate(() => python.dispose());
    await sleep(2500);
    assert.equal(made.length, 2);
  });

  it("is there of the scripts alone on a device with little memory", async () => {
    await api.page.addInitScript(() => Object.defineProperty(navigator, "deviceMemory", { value: 2 }));
    await api.visit();
    const options = { indexURL: "/little/", image: IMAGE };
    await api.evaluate(begin, options);
    await untilRehearsed();
    const { taken } = await takenBy(options);
    assertAreScripts(taken);
    assert.equal(taken.module, 0);
  });
});
