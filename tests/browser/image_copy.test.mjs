/** Copies of images from a server: used while it still has the same image, and never in the place of another. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KEPT_FUNCTIONS } from "../../scripts/common/kept.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { BROWSERS } from "../support/browsers.mjs";
import { OPEN_TO_WRITE } from "../support/kept-file.mjs";

const PATH = "/images/lesson.image";

/** What the tests find in the page. */
const HELPERS = `${KEPT_FUNCTIONS} ${OPEN_TO_WRITE}
  /** Starts from the image; says what became of it. \`lasts\` says until when Python stays. */
  globalThis.outcome = async (options, lasts = () => true) => {
    const python = await start({ image: "${PATH}", ...options });
    const { value } = await python.run("globals().get('value', 'none')");
    const { image, imageRefused, imageRefusedCode } = python.timings;
    for (let tries = 0; !(await lasts()) && tries < 200; tries += 1) await sleep(50);
    python.dispose();
    return { value, image, imageRefused, imageRefusedCode };
  };
  /** The SHA-256 of the copy. */
  globalThis.copied = async () => (await readIndex()).names["image-copy/" + new URL("${PATH}", location.href)];
  /** The SHA-256 of bytes, in hexadecimal. */
  globalThis.hashOf = async (bytes) =>
    Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");`;

describe("copies of images from a server", { timeout: 600_000 }, () => {
  let api;
  let folder;
  /** What was baked, by the value of the variable in it. */
  const images = new Map();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-images-"));
    const handlers = {
      "/baked": async (request, response) => {
        images.set(images.size + 1, await buffer(request));
        response.end();
      },
    };
    api = await openApiPage({ roots: { "/images/": { folder, immutable: false } }, handlers });
    await api.evaluate(HELPERS);
    await api.evaluate(async () => {
      const python = await start();
      for (const value of [1, 2]) {
        await python.run(`import six; value = ${value}`);
        await fetch("/baked", { method: "POST", body: await python.bake() });
      }
      python.dispose();
    });
  });
  after(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await serve(1);
    await api.evaluate(async () => (await shared()).store.clear());
  });
  afterEach(() => {
    api.server.hooks.length = 0;
  });

  const serve = (number) => writeFile(join(folder, "lesson.image"), images.get(number));
  const outcome = (options) => api.evaluate((options) => outcome(options), options);
  /** A visit that leaves a copy. */
  const firstVisit = async () => {
    const found = await api.evaluate(() => outcome({}, async () => Boolean(await copied())));
    assert.ok(await api.evaluate(() => copied()), "no copy was kept");
    return found;
  };
  function assertStarted(found, value) {
    assert.equal(found.imageRefused, undefined);
    assert.deepEqual([found.value, found.image], [value, "address"]);
  }

  /** Starts with the value while the server sends the image so slowly that it would take a minute. */
  async function assertLittleIsFetched(value) {
    const { log, hooks } = api.server;
    log.length = 0;
    hooks.push({ match: PATH, bytesPerSecond: images.get(value).length / 60 });
    assertStarted(await outcome(), value);
    hooks.length = 0;
    const [request, ...others] = log.filter(({ path }) => path === PATH);
    assert.equal(others.length, 0);
    for (let tries = 0; request.until === undefined && tries < 40; tries += 1) await sleep(50);
    assert.ok(request.bytes < images.get(value).length / 2, `${request.bytes} bytes: the connection stayed open`);
  }

  it("are kept after the first visit, and all that is fetched then are the first bytes", async () => {
    assertStarted(await firstVisit(), 1);
    await assertLittleIsFetched(1);
  });

  it("are not used when the server has another image, which takes their place", async () => {
    await firstVisit();
    const old = await api.evaluate(() => copied());
    await serve(2);
    const found = await api.evaluate((old) => outcome({}, async () => ![undefined, old].includes(await copied())), old);
    assertStarted(found, 2);
    await assertLittleIsFetched(2);
    const left = await api.evaluate((old) => readIndex().then(({ content }) => old in content), old);
    assert.equal(left, false, "the old one is kept, too");
  });

  it("are not used when the server has the image no more", async () => {
    await firstVisit();
    api.server.hooks.push({ match: PATH, status: 404, times: 1 });
    const found = await outcome();
    assert.deepEqual([found.value, found.image, found.imageRefusedCode], ["none", undefined, "LOAD_HTTP"]);
    await assertLittleIsFetched(1);
  });

  it("are used when the server cannot be reached", async () => {
    await firstVisit();
    api.server.hooks.push({ match: PATH, refuse: true });
    assertStarted(await outcome(), 1);
  });

  for (const [what, where] of [
    ["in the head", 0.0005],
    ["in the middle", 0.5],
    ["at the end", 0.99],
  ]) {
    it(`that are damaged ${what} are made anew`, async () => {
      await firstVisit();
      const found = await api.evaluate(async (where) => {
        const hash = await copied();
        const handle = await (await keptContent()).getFileHandle(hash);
        const { file, size } = await openFileToWrite(handle);
        await file.write({ type: "write", position: Math.floor(size * where), data: new Uint8Array(64).fill(90) });
        await file.close();
        const isWhole = async () => (await hashOf(await readContent(hash).catch(() => new Uint8Array()))) === hash;
        const wasWhole = await isWhole();
        const result = await outcome({}, isWhole);
        return { ...result, wasWhole, isWhole: await isWhole() };
      }, where);
      assertStarted(found, 1);
      assert.deepEqual([found.wasWhole, found.isWhole], [false, true]);
    });
  }

  it("are not kept where nothing may be, nor where they would take more than half of the room", async () => {
    const kept = async (options) => {
      assertStarted(await api.evaluate((options) => outcome(options, () => sleep(3000).then(() => true)), options), 1);
      return Boolean(await api.evaluate(() => copied()));
    };
    const { length } = images.get(1);
    assert.equal(await kept({ cache: "none" }), false);
    assert.equal(await kept({ cacheLimit: Math.floor(length * 1.9) }), false);
    assert.equal(await kept({ cacheLimit: Math.ceil(length * 2.1) }), true);
  });

  it("are not kept of a blob, whose address is gone with the page", async () => {
    const entries = await api.evaluate(async (path) => {
      const url = URL.createObjectURL(await (await fetch(path)).blob());
      await outcome({ image: url }, () => sleep(3000).then(() => true));
      return Object.keys((await readIndex()).names).filter((name) => name.startsWith("image-copy/"));
    }, PATH);
    assert.deepEqual(entries, []);
  });

  it("are one of two tabs that start at once, and both start", async () => {
    const found = await api.evaluate(() => {
      const isThere = async () => Boolean(await copied());
      return Promise.all([outcome({}, isThere), outcome({}, isThere)]);
    });
    for (const one of found) assertStarted(one, 1);
    api.server.hooks.push({ match: PATH, bytesPerSecond: images.get(1).length / 60 });
    const again = await api.evaluate(() => Promise.all([outcome(), outcome()]));
    for (const one of again) assertStarted(one, 1);
  });
});

describe("copies of images from a server, in each browser", { timeout: 300_000 }, () => {
  for (const browser of BROWSERS) {
    it(`are used in ${browser}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "taipan-images-"));
      let image;
      const handlers = {
        "/baked": async (request, response) => {
          image = await buffer(request);
          response.end();
        },
      };
      const api = await openApiPage({ browser, roots: { "/images/": { folder, immutable: false } }, handlers });
      try {
        await api.evaluate(async () => {
          const python = await start();
          await python.run("value = 7");
          await fetch("/baked", { method: "POST", body: await python.bake() });
          python.dispose();
        });
        await writeFile(join(folder, "lesson.image"), image);
        const first = await api.evaluate(
          async ({ path, length }) => {
            const python = await start({ image: path });
            const isKept = async () => (await python.store.usage()).bytes >= length;
            for (let tries = 0; !(await isKept()) && tries < 200; tries += 1) await sleep(50);
            // Python stays: a WebKit that is driven forgets what nobody has open.
            return [python.timings.image, await isKept()];
          },
          { path: PATH, length: image.length },
        );
        assert.deepEqual(first, ["address", true]);
        // It would take the test longer than it has.
        api.server.hooks.push({ match: PATH, bytesPerSecond: image.length / 600 });
        const second = await api.evaluate(async (path) => {
          const python = await start({ image: path });
          const { value } = await python.run("value");
          python.dispose();
          return [python.timings.image, value];
        }, PATH);
        assert.deepEqual(second, ["address", 7]);
      } finally {
        await api.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
