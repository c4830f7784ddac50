/** The API with the real distribution: interrupts, limits of time, signals and restarts. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

describe("with shared memory", () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  it("an endless loop is interrupted, and its variables stay", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.run("kept = 7");
      const running = caught(python.run("while True: pass"));
      await sleep(200);
      const begin = performance.now();
      await python.interrupt();
      const took = performance.now() - begin;
      return { error: await running, took, value: (await python.run("kept;")).value };
    });
    assert.deepEqual(
      [found.error.name, found.error.code, found.error.restarted],
      ["InterruptedError", "INTERRUPTED", false],
    );
    assert.equal(found.value, 7);
    assert.ok(found.took < 1000, `${found.took} ms`);
  });

  it("an interrupt right after the call hits the run too", async () => {
    const error = await api.evaluate(async () => {
      const python = await shared();
      const running = caught(python.run("while True: pass"));
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      await python.interrupt();
      return Promise.race([running, sleep(5000).then(() => "still running")]);
    });
    assert.equal(error.code, "INTERRUPTED");
  });

  it("a run that sleeps is interrupted, and limited in time", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const running = caught(python.run("import time\ntime.sleep(60)"));
      await sleep(200);
      const begin = performance.now();
      await python.interrupt();
      const interrupted = await running;
      const limited = await caught(python.run("for _ in range(600): time.sleep(0.1)", { timeoutMs: 300 }));
      return { codes: [interrupted.code, limited.code], restarted: limited.restarted, took: performance.now() - begin };
    });
    assert.deepEqual(found.codes, ["INTERRUPTED", "TIMEOUT"]);
    assert.equal(found.restarted, false);
    assert.ok(found.took < 5000, `${found.took} ms`);
  });

  it("a run that awaits is interrupted", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const running = caught(
        python.run("import asyncio\ntry:\n    await asyncio.sleep(60)\nfinally:\n    cleaned = True"),
      );
      await sleep(200);
      await python.interrupt();
      return { error: await running, value: (await python.run("cleaned;")).value };
    });
    assert.equal(found.error.code, "INTERRUPTED");
    assert.equal(found.value, true);
  });

  it("a run that sleeps after it has awaited is limited in time, and the variables stay", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const code = "import asyncio, time\nslept = 1\nawait asyncio.sleep(0)\ntime.sleep(1000)";
      const error = await caught(python.run(code, { timeoutMs: 300 }));
      return { code: error.code, restarted: error.restarted, value: (await python.run("slept")).value };
    });
    assert.deepEqual(found, { code: "TIMEOUT", restarted: false, value: 1 });
  });

  it("a run that waits inside of asyncio.run is interrupted, and limited in time", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const code = `
import asyncio
async def main():
    global cleaned
    try:
        print("waiting")
        await asyncio.sleep(1000)
    finally:
        cleaned += 1
cleaned = 0
asyncio.run(main())`;
      let waits;
      const waiting = new Promise((resolve) => {
        waits = resolve;
      });
      const running = caught(python.run(code, { onOutput: waits }));
      await waiting;
      await python.interrupt();
      const interrupted = await running;
      const limited = await caught(python.run(code.replace("cleaned = 0", ""), { timeoutMs: 300 }));
      return { interrupted, limited, cleaned: (await python.run("await asyncio.sleep(0)\ncleaned")).value };
    });
    assert.deepEqual([found.interrupted.code, found.interrupted.restarted], ["INTERRUPTED", false]);
    assert.deepEqual([found.limited.code, found.limited.restarted], ["TIMEOUT", false]);
    assert.equal(found.cleaned, 2);
  });

  it("Python can catch the interrupt and go on", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const running = python.run("try:\n    while True: pass\nexcept KeyboardInterrupt:\n    caught = 'yes'\ncaught;");
      await sleep(200);
      await python.interrupt();
      return running;
    });
    assert.equal(found.value, "yes");
  });

  it("an interrupt when nothing runs does nothing, to the next run neither", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.interrupt();
      return python.run("sum(range(100000));");
    });
    assert.equal(found.value, 4999950000);
  });

  it("an interrupt leaves the runs that wait alone", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const running = caught(python.run("while True: pass"));
      const next = python.run("'next';");
      await sleep(200);
      await python.interrupt();
      return { error: await running, next: await next };
    });
    assert.equal(found.error.code, "INTERRUPTED");
    assert.equal(found.next.value, "next");
  });

  for (const [name, code] of [
    ["computes", "while True: pass"],
    ["awaits", "import asyncio\nawait asyncio.sleep(60)"],
  ]) {
    it(`a run that ${name} ends at its limit of time`, async () => {
      const found = await api.evaluate(async (code) => {
        const python = await shared();
        await python.run("kept = 8");
        const begin = performance.now();
        const error = await caught(python.run(code, { timeoutMs: 300 }));
        return { error, took: performance.now() - begin, value: (await python.run("kept;")).value };
      }, code);
      assert.deepEqual([found.error.name, found.error.code, found.error.restarted], ["TimeoutError", "TIMEOUT", false]);
      assert.ok(found.took >= 290 && found.took < 2000, `${found.took} ms`);
      assert.equal(found.value, 8);
    });
  }

  it("a limit of time that is not reached changes nothing", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const first = await python.run("1;", { timeoutMs: 200 });
      const second = await python.run("import time\nend = time.time() + 0.5\nwhile time.time() < end: pass\n2;");
      const third = await python.run("3;", { timeoutMs: 1e12 });
      return [first.value, second.value, third.value];
    });
    assert.deepEqual(found, [1, 2, 3]);
  });

  it("code that does not let Python look at the clock is ended by a restart", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      // One call that computes for longer than anybody waits, without coming back to the interpreter's loop.
      const error = await caught(python.run("lost = 1\nx = max(range(10 ** 12))", { timeoutMs: 300 }));
      const lost = await caught(python.run("lost"));
      python.dispose();
      return { error, lost };
    });
    assert.deepEqual([found.error.name, found.error.restarted], ["TimeoutError", true]);
    assert.match(found.error.hint, /gone/);
    assert.equal(found.lost.type, "NameError");
  });

  it("a signal ends the run", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error("enough")), 200);
      const computing = await caught(python.run("while True: pass", { signal: controller.signal }));
      const before = await caught(python.run("ran = True", { signal: AbortSignal.abort() }));
      const ran = await python.run("'ran' in globals();");
      return { computing, before, ran: ran.value };
    });
    assert.equal(found.computing.code, "ABORTED");
    assert.match(found.computing.cause, /enough/);
    assert.equal(found.before.code, "ABORTED");
    assert.equal(found.ran, false);
  });

  it("a signal takes a run out of the queue at once", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const running = caught(python.run("while True: pass"));
      const controller = new AbortController();
      const waiting = caught(python.run("waited = True", { signal: controller.signal }));
      await sleep(100);
      controller.abort();
      const error = await Promise.race([waiting, sleep(1000)]);
      await python.interrupt();
      await running;
      return { error, value: (await python.run("'waited' in globals();")).value };
    });
    assert.equal(found.error.code, "ABORTED");
    assert.equal(found.value, false);
  });

  it("a run is interrupted while its packages come", async () => {
    api.server.hooks.push({ match: /scipy-.*\.whl$/, hang: true });
    try {
      const error = await api.evaluate(async () => {
        const python = await start();
        const running = caught(python.run("import scipy"));
        await sleep(500);
        await python.interrupt();
        const error = await running;
        python.dispose();
        return error;
      });
      assert.equal(error.code, "INTERRUPTED");
      assert.equal(error.restarted, false);
    } finally {
      api.server.hooks.length = 0;
    }
  });

  it("restart() gives a fresh interpreter and ends what was under way", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ packages: ["six"] });
      await python.run("gone = 1");
      const running = caught(python.run("while True: pass"));
      const waiting = caught(python.run("1"));
      await sleep(100);
      await python.restart();
      const result = {
        running: await running,
        waiting: await waiting,
        gone: await caught(python.run("gone")),
        packages: (await python.loadedPackages()).map(({ name }) => name),
      };
      python.dispose();
      return result;
    });
    for (const error of [found.running, found.waiting]) {
      assert.deepEqual([error.name, error.code, error.restarted], ["InterruptedError", "INTERRUPTED", true]);
    }
    assert.equal(found.gone.type, "NameError");
    assert.deepEqual(found.packages, ["six"]);
  });

  it("dispose() ends everything, for good", async () => {
    const codes = await api.evaluate(async () => {
      const python = await start();
      const running = caught(python.run("while True: pass"));
      const waiting = caught(python.run("1"));
      const loading = caught(python.loadPackage("numpy"));
      await sleep(100);
      python.dispose();
      python.dispose();
      const after = [
        python.run("1"),
        python.loadPackage("six"),
        python.fs.readdir("/"),
        python.globals.get("x"),
        python.restart(),
      ];
      const errors = await Promise.all([running, waiting, loading, ...after.map(caught)]);
      await python.interrupt();
      await python[Symbol.asyncDispose]();
      return errors.map(({ code }) => code);
    });
    assert.deepEqual(codes, Array(8).fill("DISPOSED"));
  });
});
