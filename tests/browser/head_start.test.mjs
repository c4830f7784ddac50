/** What the page's own thread does for a start, with what an earlier visit has noted. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { IMAGE, imagePlace, putImage } from "./support/image-place.mjs";

const FOLDER = "/kept/";
const WASM = `${FOLDER}pyodide.asm.wasm`;
const GLUE = `${FOLDER}pyodide.asm.js`;

/** In the page: starts Python in a folder that the HTTP cache keeps; what it computes, and what is noted then. */
const visit = async (options) => {
  const python = await start({ indexURL: "/kept/", ...options });
  const { value } = await python.run("1 + 1");
  python.dispose();
  const note = localStorage.getItem(`taipan ${new URL("/kept/", location.href)}`);
  return { value, note: note && JSON.parse(note) };
};

/** In the page: how often its own thread has compiled a module since it was asked the last time. */
const countCompiled = () => {
  const count = globalThis.compiled ?? 0;
  globalThis.compiled = 0;
  return count;
};

/** In the page: the addresses of the glue that it has told its workers since it was asked the last time. */
const takeGlue = () => {
  const told = globalThis.glue ?? [];
  globalThis.glue = [];
  return told.map((url) => url ?? null);
};

/** In the page: changes what the note of the folder says of its files. */
const change = (changes) => {
  const key = `taipan ${new URL("/kept/", location.href)}`;
  const note = JSON.parse(localStorage.getItem(key));
  for (const [file, facts] of Object.entries(changes)) Object.assign(note[file], facts);
  localStorage.setItem(key, JSON.stringify(note));
};

const OTHER = { sha256: "0".repeat(64), answer: "of another" };
/** An answer with the same bytes and another date. */
const redated = ({ answer }) => ({ answer: answer.replace(/^.*\n/, "Thu, 01 Jan 1970 00:00:00 GMT\n") });

describe("the page's head start", { timeout: 120_000 }, () => {
  let api;
  const place = imagePlace();
  before(async () => {
    const roots = { [FOLDER]: { folder: distributionFolder("0.28.3"), immutable: true } };
    api = await openApiPage({ roots, handlers: place.handlers });
    await api.page.addInitScript(() => {
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (message.type === "glue") globalThis.glue = [...(globalThis.glue ?? []), message.url];
        return post.call(this, message, ...rest);
      };
      const compile = WebAssembly.compileStreaming;
      WebAssembly.compileStreaming = async (...args) => {
        const module = await compile.apply(WebAssembly, args);
        globalThis.compiled = (globalThis.compiled ?? 0) + 1;
        while (globalThis.isBusy) await new Promise((resolve) => setTimeout(resolve, 50));
        return module;
      };
    });
    await api.visit();
  });
  after(() => api?.close());
  beforeEach(() => {
    api.server.log.length = 0;
  });
  const asked = () => api.server.log.filter(({ path }) => path === WASM).length;

  it("is none on a first visit, which notes what the files are", async () => {
    const { value, note } = await api.evaluate(visit, {});
    assert.equal(value, 2);
    assert.equal(await api.evaluate(countCompiled), 0);
    assert.deepEqual(await api.evaluate(takeGlue), []);
    for (const [file, name] of [
      ["module", "pyodide.asm.wasm"],
      ["glue", "pyodide.asm.js"],
    ]) {
      assert.equal(note[file].name, name);
      assert.match(note[file].sha256, /^[0-9a-f]{64}$/);
      // The HTTP cache gives this answer again, and it can be told by its date and tag.
      assert.equal(note[file].answer.split("\n").length, 4);
    }
    assert.equal(asked(), 1);
  });

  it("compiles CPython's module on the next and has the glue evaluated, without asking the server", async () => {
    const { value } = await api.evaluate(visit, {});
    assert.equal(value, 2);
    assert.equal(await api.evaluate(countCompiled), 1);
    assert.deepEqual(await api.evaluate(takeGlue), [`${api.server.url}${GLUE}`]);
    assert.equal(api.server.log.filter(({ path }) => path === GLUE).length, 0);
    assert.equal(asked(), 0);
  });

  it("compares the hash of an answer that is another, and notes that one then", async () => {
    const { note: before } = await api.evaluate(visit, {});
    await api.evaluate(countCompiled);
    await api.evaluate(change, { module: redated(before.module), glue: redated(before.glue) });
    await api.evaluate(takeGlue);
    const { value, note } = await api.evaluate(visit, {});
    assert.equal(value, 2);
    assert.equal(await api.evaluate(countCompiled), 1);
    assert.deepEqual(await api.evaluate(takeGlue), [null]);
    assert.deepEqual(note, before);
  });

  for (const [how, hook] of [
    ["is a failure", { status: 503 }],
    ["breaks off", { truncate: 1000 }],
    ["does not come", { hang: true }],
    ["stops coming", { stall: 1000 }],
  ]) {
    it(`has the lock file asked for again where the first answer ${how}`, async () => {
      api.server.hooks.push({ match: "/python/pyodide-lock.json", times: 1, ...hook });
      const { value } = await api.evaluate(visit, { lockFileURL: "/python/pyodide-lock.json", stallTimeoutMs: 1000 });
      assert.equal(value, 2);
      assert.equal(api.server.log.filter(({ path }) => path === "/python/pyodide-lock.json").length, 2);
    });
  }

  it("comes to nothing where the module is another, and Python starts all the same", async () => {
    const { note: before } = await api.evaluate(visit, {});
    await api.evaluate(countCompiled);
    await api.evaluate(change, { module: OTHER });
    const { value, note } = await api.evaluate(visit, {});
    assert.equal(value, 2);
    assert.equal(await api.evaluate(countCompiled), 0);
    assert.deepEqual(note, before);
  });

  it("comes to nothing where the glue is another, and an image is restored all the same", async () => {
    await api.evaluate(async () => {
      const python = await start({ indexURL: "/kept/" });
      await python.run("kept = 41");
      await python.bake({ name: "head start" });
      python.dispose();
    });
    const restore = async () => {
      const python = await start({ indexURL: "/kept/", image: { name: "head start" } });
      const { value } = await python.run("kept + 1");
      python.dispose();
      return { value, image: python.timings.image };
    };
    assert.deepEqual(await api.evaluate(restore), { value: 42, image: "name" });
    await api.evaluate(change, { glue: OTHER });
    assert.deepEqual(await api.evaluate(restore), { value: 42, image: "name" });
    await api.evaluate(change, { glue: OTHER, module: OTHER });
    assert.deepEqual(await api.evaluate(restore), { value: 42, image: "name" });
  });

  it("brings the glue and the module for an image that comes from a server", async () => {
    await api.evaluate(putImage, [IMAGE, { indexURL: "/kept/" }, "kept = 41"]);
    const restore = async (path) => {
      const python = await start({ indexURL: "/kept/", image: path });
      const { value } = await python.run("kept + 1");
      python.dispose();
      const { image, bytesFetched } = python.timings;
      return { value, image, bytesFetched };
    };
    const restored = { value: 42, image: "address" };
    const { bytesFetched, ...found } = await api.evaluate(restore, IMAGE);
    assert.deepEqual(found, restored);
    // The lock file comes too, but neither of these.
    assert.ok(bytesFetched < place.size() + 500_000, `${bytesFetched - place.size()} bytes besides the image`);
    for (const changes of [{ glue: OTHER }, { glue: OTHER, module: OTHER }]) {
      await api.evaluate(change, changes);
      const { bytesFetched, ...found } = await api.evaluate(restore, IMAGE);
      assert.deepEqual(found, restored);
    }
  });

  it("is not waited for where the page is busy", async () => {
    await api.evaluate(visit, {});
    await api.evaluate(() => {
      globalThis.isBusy = true;
    });
    const value = await api.evaluate(async () => {
      // It has other things to do until Python has started.
      const python = await start({ indexURL: "/kept/" });
      globalThis.isBusy = false;
      const { value } = await python.run("1 + 1");
      python.dispose();
      return value;
    });
    assert.equal(value, 2);
  });

  it("needs nothing but a note that can be read", async () => {
    await api.evaluate(() => localStorage.setItem(`taipan ${new URL("/kept/", location.href)}`, "not JSON"));
    assert.equal((await api.evaluate(visit, {})).value, 2);
  });

  it("is none where nothing may be kept, and nothing is noted", async () => {
    await api.evaluate(() => localStorage.clear());
    await api.evaluate(countCompiled);
    const { value, note } = await api.evaluate(visit, { cache: "none" });
    assert.deepEqual({ value, note }, { value: 2, note: null });
    assert.equal(await api.evaluate(countCompiled), 0);
  });

  it("is none where the server has to be asked each time", async () => {
    await api.evaluate(() => localStorage.clear());
    for (let count = 1; count <= 2; count += 1) {
      const note = await api.evaluate(async () => {
        const python = await start();
        python.dispose();
        return localStorage.getItem(`taipan ${new URL("/python/", location.href)}`);
      });
      assert.equal(note, null);
    }
  });

  it("is forgotten with the store, and with nothing else of the page's", async () => {
    await api.evaluate(visit, {});
    const left = await api.evaluate(async () => {
      localStorage.setItem("of the page", "stays");
      const python = await shared();
      await python.store.clear();
      return Object.keys(localStorage);
    });
    assert.deepEqual(left, ["of the page"]);
  });
});
