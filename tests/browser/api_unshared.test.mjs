/** The API with the real distribution on pages without shared memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

describe("without shared memory", () => {
  let api;
  before(async () => {
    api = await openApiPage({ isolated: false });
  });
  after(() => api?.close());

  it("python.features says so", async () => {
    const features = await api.evaluate(async () => (await shared()).features);
    assert.deepEqual([features.interrupt, features.input], ["restart", "unsupported"]);
  });

  it("an endless loop is stopped by a restart, and Python goes on", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run("lost = 1");
      const running = caught(python.run("while True: pass"));
      const waiting = caught(python.run("lost"));
      await sleep(200);
      await python.interrupt();
      const result = { running: await running, waiting: await waiting, next: await caught(python.run("lost")) };
      python.dispose();
      return result;
    });
    for (const error of [found.running, found.waiting]) {
      assert.deepEqual([error.name, error.code, error.restarted], ["InterruptedError", "INTERRUPTED", true]);
      assert.match(error.hint, /gone/);
    }
    assert.equal(found.next.type, "NameError");
  });

  it("a run that awaits is interrupted without a restart", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.run("kept = 1");
      const running = caught(python.run("import asyncio\nawait asyncio.sleep(60)"));
      await sleep(200);
      await python.interrupt();
      return { error: await running, value: (await python.run("kept;")).value };
    });
    assert.deepEqual([found.error.code, found.error.restarted, found.value], ["INTERRUPTED", false, 1]);
  });

  it("a limit of time works without a restart", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.run("kept = 2");
      const error = await caught(python.run("while True: pass", { timeoutMs: 300 }));
      return { error, value: (await python.run("kept;")).value };
    });
    assert.deepEqual([found.error.code, found.error.restarted, found.value], ["TIMEOUT", false, 2]);
  });

  it("a signal stops an endless loop by a restart", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const error = await caught(python.run("while True: pass", { signal: AbortSignal.timeout(200) }));
      const { value } = await python.run("3;");
      python.dispose();
      return { error, value };
    });
    assert.deepEqual([found.error.name, found.error.code, found.error.restarted], ["AbortedError", "ABORTED", true]);
    assert.match(found.error.hint, /gone/);
    assert.match(found.error.cause, /TimeoutError/);
    assert.equal(found.value, 3);
  });

  it("a signal ends a run that awaits, and says that nothing is lost", async () => {
    const error = await api.evaluate(async () => {
      const python = await shared();
      return caught(python.run("import asyncio\nawait asyncio.sleep(60)", { signal: AbortSignal.timeout(200) }));
    });
    assert.deepEqual([error.code, error.restarted, error.hint], ["ABORTED", false, undefined]);
  });

  it("what waits to be baked, or for a checkpoint, is not done with the interpreter after a restart", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run("kept = 1");
      await python.bake({ name: "waits" });
      const running = caught(python.run("while True: pass"));
      const waiting = [caught(python.bake({ name: "waits" })), caught(python.bake()), caught(python.checkpoint())];
      await sleep(200);
      await python.interrupt();
      const stopped = await running;
      const codes = (await Promise.all(waiting)).map(({ code }) => code);
      python.dispose();
      const again = await start({ image: { name: "waits" } });
      const { value } = await again.run("kept;");
      await again.forgetImage("waits");
      again.dispose();
      return { restarted: stopped.restarted, codes, value };
    });
    assert.deepEqual(found, { restarted: true, codes: ["INTERRUPTED", "INTERRUPTED", "INTERRUPTED"], value: 1 });
  });

  it("outputs of a fast loop still come while it computes", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      let seen = 0;
      const running = caught(
        python.run("i = 0\nwhile True:\n    print(i)\n    i += 1", {
          onOutput: () => {
            seen += 1;
          },
        }),
      );
      await sleep(500);
      const before = seen;
      await sleep(500);
      const after = seen;
      await python.interrupt();
      await running;
      python.dispose();
      return { before, after };
    });
    assert.ok(found.before > 0 && found.after > found.before, JSON.stringify(found));
  });

  it("input() says what is missing", async () => {
    const error = await api.evaluate(async () => {
      const python = await start({ stdin: () => "x" });
      const error = await caught(python.run("input()"));
      python.dispose();
      return error;
    });
    assert.equal(error.type, "OSError");
    assert.match(error.message, /Cross-Origin-Opener-Policy/);
  });
});
