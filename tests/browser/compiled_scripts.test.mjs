/** What Chromium keeps of a first visit: the code that it made of scripts, so that the next visit parses nothing of them. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { IMAGE, imagePlace, putImage } from "./support/image-place.mjs";

/** A folder for each test: what is known, and what is kept, goes by the address. */
const FOLDERS = ["/named/", "/address/", "/known/", "/nothing/"];
const folder = { folder: distributionFolder("0.28.3"), immutable: true };

/** The bytes of code that were kept of the glue, and of the worker's script, most functions of which a worker calls. */
function assertIsCode([glue, script]) {
  assert.ok(glue > 100_000, `${glue} bytes of the glue`);
  assert.ok(script > 150_000, `${script} bytes of the worker's script`);
}

/** In the page: the first visit of a folder. What the rest of a visit does is done when it has ended. */
const begin = async (options) => {
  globalThis.python = await start(options);
  return { image: python.timings.image, value: (await python.run("1 + 1")).value };
};

describe("the glue and the script of the worker, compiled", { timeout: 120_000 }, () => {
  let api;
  before(async () => {
    const roots = Object.fromEntries(FOLDERS.map((name) => [name, folder]));
    api = await openApiPage({ roots, handlers: imagePlace().handlers });
    await api.evaluate(putImage, [IMAGE, {}, "pass"]);
  });
  after(() => api?.close());
  afterEach(() => api.visit());

  /** Waits until so many workers are there. */
  async function untilWorkers(count) {
    for (let waited = 0; api.page.workers().length !== count; waited += 1) {
      assert.ok(waited < 100, `${api.page.workers().length} workers`);
      await sleep(100);
    }
  }

  /** Starts Python on the next visit: how many bytes of code that the browser had kept of each script it took. */
  async function takenBy(options) {
    await api.visit();
    const session = await api.page.context().newCDPSession(api.page);
    await session.send("Tracing.start", {
      transferMode: "ReturnAsStream",
      traceConfig: { includedCategories: ["v8", "devtools.timeline"], excludedCategories: ["*"] },
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
    return { ...started, taken: ["/pyodide.asm.js", "/wasm/engine.js"].map(takenOf) };
  }

  it("is there for the visit after one that kept an image", async () => {
    await api.evaluate(begin, { indexURL: "/named/" });
    await api.evaluate(() => python.bake({ name: "one" }));
    await untilWorkers(2);
    await untilWorkers(1);
    const { taken, ...started } = await takenBy({ indexURL: "/named/", image: { name: "one" } });
    assert.deepEqual(started, { image: "name", value: 2 });
    assertIsCode(taken);
  });

  it("is there for the visit after one that started from a server's image", async () => {
    const options = { indexURL: "/address/", image: IMAGE };
    assert.deepEqual(await api.evaluate(begin, options), { image: "address", value: 2 });
    await untilWorkers(2);
    await untilWorkers(1);
    const { taken, ...started } = await takenBy(options);
    assert.deepEqual(started, { image: "address", value: 2 });
    assertIsCode(taken);
  });

  it("is made once", async () => {
    await api.evaluate(begin, { indexURL: "/known/" });
    await api.visit();
    const made = [];
    api.page.on("worker", (worker) => made.push(worker));
    await api.evaluate(begin, { indexURL: "/known/" });
    await api.evaluate(() => python.bake({ name: "two" }));
    await sleep(500);
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
});
