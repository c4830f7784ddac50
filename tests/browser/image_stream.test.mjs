/** Images that are used while they come, from servers that are slow, cut, or lie. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, afterEach, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

const PATH = "/images/lesson.image";
/** The page asks for this when it has come so far that the rest of an image may come. */
const GO = "/go";

describe("images that come from a server", { timeout: 600_000 }, () => {
  let api;
  let folder;
  let image;
  /** Sends the rest of an image. */
  let go = () => undefined;
  /** What `/half.image` does when half of the image has been sent. */
  let atHalf;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-images-"));
    const handlers = {
      "/baked": async (request, response) => {
        image = await buffer(request);
        response.end();
      },
      "/half.image": (_request, response) => {
        const half = image.length >> 1;
        response.setHeader("Content-Length", image.length);
        response.write(image.subarray(0, half), () => atHalf?.(response));
        go = () => response.end(image.subarray(half));
      },
      [GO]: (_request, response) => {
        go();
        response.end();
      },
      "/endless": (_request, response) => void response.write(Buffer.alloc(100_000, 7)),
    };
    api = await openApiPage({ roots: { "/images/": { folder, immutable: false } }, handlers });
    await api.evaluate(async () => {
      /** Starts from an image; says what became of it. */
      globalThis.outcome = async (options) => {
        const python = await start({ cache: "none", stallTimeoutMs: 4000, ...options });
        const { value } = await python.run("[globals().get('value', 'none'), 1 + 1]");
        const { image, imageRefused } = python.timings;
        const { archives } = await python.memory();
        python.dispose();
        return { value, image, imageRefused, archives };
      };
      const python = await start();
      // So that there is more memory than what is copied at the end, and side modules that are not called at once.
      await python.run("import numpy; kept = bytearray(b'kept') * 2_000_000; value = 7");
      await fetch("/baked", { method: "POST", body: await python.bake() });
      python.dispose();
    });
    await writeFile(join(folder, "lesson.image"), image);
  });
  after(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    api.server.hooks.length = 0;
    api.server.log.length = 0;
    atHalf = undefined;
  });

  const outcome = () => api.evaluate((image) => outcome({ image }), PATH);
  const requests = () => api.server.log.filter(({ path }) => path === PATH);

  /** The last byte of linear memory in the image: cold side modules come behind it. */
  function lastOfMemory() {
    const at = image.lastIndexOf(Buffer.from("keptkeptkeptkept"));
    assert.ok(at > image.length >> 1, `${at} of ${image.length}`);
    return at;
  }

  function assertStarted(found) {
    assert.equal(found.imageRefused, undefined);
    assert.deepEqual([found.value, found.image], [[7, 2], "address"]);
  }

  function assertRefused(found, reason) {
    assert.deepEqual([found.value, found.image], [["none", 2], undefined]);
    assert.match(found.imageRefused, reason);
  }

  it("are begun with before they are there", async () => {
    const found = await api.evaluate(async (go) => {
      const stages = [];
      let isAsked = false;
      const result = await outcome({
        image: "/half.image",
        stallTimeoutMs: 60_000,
        onProgress: ({ stage }) => {
          stages.push(stage);
          // Only who has read the manifest knows which glue it must be.
          if (stage !== "glue" || isAsked) return;
          isAsked = true;
          void fetch(go);
        },
      });
      return { ...result, isAsked };
    }, GO);
    assertStarted(found);
    assert.ok(found.isAsked);
    // It is held once.
    assert.ok(found.archives < image.length * 1.1, `${found.archives} of ${image.length}`);
  });

  it("slowly, are used", async () => {
    api.server.hooks.push({ match: PATH, bytesPerSecond: image.length / 2 });
    assertStarted(await outcome());
  });

  it("and break off in the middle of memory, go on there", async () => {
    const hook = { match: PATH, ranges: true, headers: { "Cache-Control": "no-store" } };
    const truncate = lastOfMemory() - 1_000_000;
    api.server.hooks.push({ ...hook, truncate, bytesPerSecond: image.length, times: 1 }, hook);
    assertStarted(await outcome());
    assert.deepEqual(
      requests().map(({ status }) => status),
      [200, 206],
    );
  });

  it("and break off where the server cannot go on, begin anew", async () => {
    api.server.hooks.push({
      match: PATH,
      truncate: lastOfMemory() - 1_000_000,
      bytesPerSecond: image.length,
      times: 1,
    });
    api.server.hooks.push({ match: PATH });
    assertStarted(await outcome());
    assert.deepEqual(
      requests().map(({ status }) => status),
      [200, 200],
    );
  });

  it("and are another one after they broke off: are never used in pieces of two", async () => {
    const corrupt = lastOfMemory() - 8_000_000;
    api.server.hooks.push({
      match: PATH,
      corrupt,
      truncate: image.length - 10,
      bytesPerSecond: image.length,
      times: 1,
    });
    api.server.hooks.push({ match: PATH });
    const found = await outcome();
    // Whether the damage or the end is seen first is a matter of time.
    if (found.imageRefused) assertRefused(found, /chunk \d+ of its part memory is damaged/);
    else assertStarted(found);
  });

  it("and always break off, cost time and nothing else", async () => {
    api.server.hooks.push({ match: PATH, truncate: 20_000 });
    assertRefused(await outcome(), /lesson\.image/);
    assert.ok(requests().length > 1);
  });

  it("and stop, cost time and nothing else", async () => {
    api.server.hooks.push({ match: PATH, stall: image.length >> 1 });
    const found = await api.evaluate((image) => outcome({ image, stallTimeoutMs: 400 }), PATH);
    assertRefused(found, /stopped/);
  });

  for (const [what, where] of [
    ["in its head", () => 100],
    ["in the middle", () => image.length >> 1],
    ["in the last chunk of memory", () => lastOfMemory()],
  ]) {
    it(`with a wrong byte ${what}, are not used`, async () => {
      api.server.hooks.push({ match: PATH, corrupt: where() });
      assertRefused(await outcome(), /not what was expected|image cannot be used/);
    });
  }

  it("and are shorter than they say, are not used", async () => {
    api.server.hooks.push({ match: PATH, shorten: image.length - 1 });
    assertRefused(await outcome(), /image cannot be used.*bytes/);
  });

  it("and are longer than they say, are not used", async () => {
    api.server.hooks.push({ match: PATH, body: Buffer.concat([image, Buffer.from("x")]) });
    assertRefused(await outcome(), /image cannot be used.*bytes/);
  });

  it("and are a page, are not used", async () => {
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    api.server.hooks.push({ match: PATH, body: "<!doctype html><title>Start</title>", headers });
    assertRefused(await outcome(), /web page/);
  });

  it("and are none, are seen not to be before their end", async () => {
    const found = await api.evaluate(() => outcome({ image: "/endless", stallTimeoutMs: 60_000 }));
    assertRefused(found, /not an image/i);
  });

  it("are given up when the start is, and their connection is closed", async () => {
    const closed = new Promise((resolve) => {
      atHalf = (response) => response.on("close", resolve);
    });
    const found = await api.evaluate(async () => {
      const controller = new AbortController();
      let loaded = 0;
      const starting = caught(
        start({
          image: "/half.image",
          signal: controller.signal,
          onProgress: (progress) => {
            if (progress.stage === "image") loaded = progress.loaded;
            if (loaded > 0) controller.abort();
          },
        }),
      );
      return { ...(await starting), loaded };
    });
    assert.equal(found.code, "ABORTED");
    assert.ok(found.loaded > 0);
    await closed;
  });
});
