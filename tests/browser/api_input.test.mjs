/** The API with the real distribution: `input()` and what the page answers. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

describe("input()", () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  it("asks the page and waits", async () => {
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

  it("what was printed before is there when it asks", async () => {
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

  it("is interrupted, and the question taken back", async () => {
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
