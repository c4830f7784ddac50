/** The API with the real distribution: interrupts, limits of time, signals, restarts and input. */
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

  it("input() asks the page and waits", async () => {
    const found = await api.evaluate(async () => {
      const prompts = [];
      const answers = ["Ada", "x".repeat(100_000), "line with newline\n", null];
      const python = await start({
        stdin: async (prompt) => {
          prompts.push(prompt);
          await sleep(50);
          return answers.shift();
        },
      });
      const first = await python.run("input('Name? ');");
      const long = await python.run("len(input());");
      const newline = await python.run("input();");
      const end = await caught(python.run("input()"));
      python.dispose();
      return { prompts, first: first.value, long: long.value, newline: newline.value, end };
    });
    assert.deepEqual(found.prompts, ["Name? ", "", "", ""]);
    assert.equal(found.first, "Ada");
    assert.equal(found.long, 100_000);
    assert.equal(found.newline, "line with newline");
    assert.equal(found.end.type, "EOFError");
  });

  it("what was printed before input() is there when it asks", async () => {
    const seen = await api.evaluate(async () => {
      let printed = "";
      let seen;
      const python = await start({
        stdin: () => {
          seen = printed;
          return "";
        },
      });
      const onOutput = ({ text }) => {
        printed += text ?? "";
      };
      await python.run("for i in range(200): print(i)\nx = input()", { onOutput });
      python.dispose();
      return seen;
    });
    assert.equal(seen, Array.from({ length: 200 }, (_, i) => `${i}\n`).join(""));
  });

  it("input() is interrupted, and the question taken back", async () => {
    const found = await api.evaluate(async () => {
      let withdrawn = false;
      let answer;
      const python = await start({
        stdin: (_prompt, signal) =>
          new Promise((resolve) => {
            answer = resolve;
            signal.addEventListener("abort", () => {
              withdrawn = true;
            });
          }),
      });
      const running = caught(
        python.run("while True:\n    try:\n        input('? ')\n    except Exception:\n        pass"),
      );
      await sleep(300);
      await python.interrupt();
      const error = await running;
      const late = answer;
      const next = python.run("input('again ');");
      await sleep(200);
      late("too late");
      await sleep(100);
      answer("in time");
      const result = { error, withdrawn, value: (await next).value };
      python.dispose();
      return result;
    });
    assert.equal(found.error.code, "INTERRUPTED");
    assert.equal(found.withdrawn, true);
    assert.equal(found.value, "in time");
  });

  it("a question that was on its way when the run was interrupted is taken back", async () => {
    const found = await api.evaluate(async () => {
      const questions = [];
      const python = await start({
        stdin: (prompt, signal) =>
          new Promise((resolve) => {
            questions.push(signal);
            if (prompt === "next ") resolve("answered");
          }),
      });
      const running = caught(python.run("import time\ntime.sleep(0.2)\ninput('lost ')"));
      // What the worker says meanwhile is heard after the interrupt.
      await sleep(50);
      const end = performance.now() + 1500;
      while (performance.now() < end);
      const interrupted = python.interrupt();
      const error = await running;
      await interrupted;
      const withdrawn = questions.map(({ aborted }) => aborted);
      const { value } = await python.run("input('next ');");
      python.dispose();
      return { code: error.code, withdrawn, value };
    });
    assert.deepEqual(found, { code: "INTERRUPTED", withdrawn: [true], value: "answered" });
  });

  it("a stdin that fails, or is missing, is an exception in Python", async () => {
    const found = await api.evaluate(async () => {
      const failing = await start({
        stdin: () => {
          throw new Error("no keyboard today");
        },
      });
      const failed = await caught(failing.run("input()"));
      failing.dispose();
      return { failed, missing: await caught((await shared()).run("input()")) };
    });
    assert.equal(found.failed.code, "PYTHON");
    assert.match(found.failed.message, /no keyboard today/);
    assert.equal(found.missing.type, "OSError");
    assert.match(found.missing.message, /stdin/);
    // Where in our own code it was noticed is nothing to the user.
    assert.doesNotMatch(found.missing.traceback, /worker\.js/);
  });
});

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
