/** The API with the real distribution: starting, running code, its outputs and errors, variables. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  api = await openApiPage();
});
after(() => api?.close());

/** Runs code in the interpreter that the tests of this file share. */
const run = (code, options = {}) =>
  api.evaluate(async ([code, options]) => (await shared()).run(code, options), [code, options]);
const runFails = (code, options = {}) =>
  api.evaluate(async ([code, options]) => caught((await shared()).run(code, options)), [code, options]);
const stdout = (text) => ({ type: "stdout", text });
const stderr = (text) => ({ type: "stderr", text });

describe("a start", () => {
  it("says what was started, how long it took and what moved", async () => {
    const found = await api.evaluate(async () => {
      const progress = [];
      const python = await start({ env: { COLOUR: "green" }, onProgress: (one) => progress.push(one) });
      const { version, pythonVersion, timings, features } = python;
      const memory = await python.memory();
      const { value } = await python.run("import os; os.environ['COLOUR']");
      python.dispose();
      return { version, pythonVersion, timings, features, memory, value, progress };
    });
    assert.equal(found.version, "0.28.3");
    assert.equal(found.pythonVersion, "3.13.2");
    assert.ok(found.timings.stages.ready > 0);
    assert.ok(found.timings.bytesFetched > 10_000_000);
    assert.equal(found.features.interrupt, "shared");
    assert.equal(found.features.input, "shared");
    assert.ok(found.memory.interpreter > 10_000_000 && found.memory.loader > 0);
    assert.equal(found.value, "green");
    assert.ok(
      found.progress.some(({ name, loaded, total }) => name.endsWith(".wasm") && loaded > 0 && loaded === total),
    );
    assert.equal(found.progress.at(-1).stage, "ready");
  });

  it("has its progress sent to a page that wants to know, and to no other", async () => {
    const sent = await api.evaluate(async () => {
      const kindsSent = async (options) => {
        const kinds = [];
        const worker = () => {
          const made = new Worker("/taipan/worker.js", { type: "module" });
          made.addEventListener("message", ({ data }) => kinds.push(data.type));
          return made;
        };
        (await start({ ...options, worker })).dispose();
        return ["progress", "timings"].filter((kind) => kinds.includes(kind));
      };
      return [await kindsSent({}), await kindsSent({ onProgress: () => {} })];
    });
    assert.deepEqual(sent, [["timings"], ["progress", "timings"]]);
  });

  it("has the packages that were asked for", async () => {
    const names = await api.evaluate(async () => {
      const python = await start({ packages: ["six"] });
      const packages = await python.loadedPackages();
      python.dispose();
      return packages.map(({ name }) => name);
    });
    assert.deepEqual(names, ["six"]);
  });
});

describe("a run", () => {
  it("gives the last expression and what it shows", async () => {
    assert.deepEqual(await run("1 + 1"), {
      value: 2,
      outputs: [{ type: "display", data: { "text/plain": "2" }, metadata: {} }],
    });
    assert.deepEqual(await run("1 + 1;"), { value: 2, outputs: [] });
    assert.deepEqual(await run("x = 1"), { outputs: [] });
    assert.deepEqual(await run("None"), { outputs: [] });
    assert.deepEqual((await run('[None, {"a": (None, 1)}]')).value, [null, { a: [null, 1] }]);
  });

  it("gives plain data of all kinds", async () => {
    const { value } = await run("{'a': [1, 2.5, 'x', True], 'b': {'c': (1, 2)}};");
    assert.deepEqual(value, { a: [1, 2.5, "x", true], b: { c: [1, 2] } });
    assert.equal("value" in (await run("object();")), false);
  });

  it("awaits at top level", async () => {
    const { value, outputs } = await run("import asyncio\nprint('a')\nawait asyncio.sleep(0.05)\nprint('b')\n7;");
    assert.equal(value, 7);
    assert.deepEqual(outputs, [stdout("a\nb\n")]);
  });

  it("waits inside of asyncio.run, and in functions of earlier cells that do", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const { value } = await python.run(`
import asyncio
async def double(number):
    await asyncio.sleep(0.01)
    return 2 * number
async def total():
    return sum(await asyncio.gather(double(1), asyncio.create_task(double(2))))
def wait_for_it():
    return asyncio.run(total())
wait_for_it()`);
      const again = (await python.run("wait_for_it()")).value;
      const error = await caught(python.run("async def fail(): raise ValueError('inside')\nasyncio.run(fail())"));
      return { value, again, error };
    });
    assert.deepEqual([found.value, found.again], [6, 6]);
    assert.deepEqual([found.error.type, found.error.message], ["ValueError", "ValueError: inside"]);
  });

  it("waits in run_sync, which a cell may call without awaiting anything", async () => {
    const value = await api.evaluate(async () => {
      const python = await start();
      const { value } = await python.run(
        "import asyncio\nfrom pyodide.ffi import run_sync\nrun_sync(asyncio.sleep(0, 5))",
      );
      python.dispose();
      return value;
    });
    assert.equal(value, 5);
  });

  it("keeps stdout, stderr and displays in order, as text that continues", async () => {
    const code = "import sys\nprint('1'); print('2')\nprint('3', file=sys.stderr)\ndisplay('four')\nprint('5')";
    const { outputs } = await run(code);
    assert.deepEqual(
      outputs.map(({ type, text }) => [type, text]),
      [
        ["stdout", "1\n2\n"],
        ["stderr", "3\n"],
        ["display", undefined],
        ["stdout", "5\n"],
      ],
    );
  });

  it("sends outputs as they happen, while Python computes", async () => {
    const times = await api.evaluate(async () => {
      const python = await shared();
      const times = [];
      const begin = performance.now();
      const code = [
        "import time",
        "def spin(s):",
        "    end = time.time() + s",
        "    while time.time() < end: pass",
        "for i in range(3):",
        "    print(i)",
        "    spin(0.3)",
      ].join("\n");
      await python.run(code, { onOutput: ({ text }) => times.push([text, performance.now() - begin]) });
      return { times, end: performance.now() - begin };
    });
    const first = times.times.find(([text]) => text.startsWith("0"));
    assert.ok(first[1] < times.end - 500, JSON.stringify(times));
  });

  it("loses nothing of ten thousand lines, in far fewer messages", async () => {
    const { count, joined, text } = await api.evaluate(async () => {
      const python = await shared();
      const pieces = [];
      const { outputs } = await python.run("for i in range(10000): print(i)", {
        onOutput: (output) => pieces.push(output.text),
      });
      return { count: pieces.length, joined: pieces.join(""), text: outputs[0].text };
    });
    const wanted = Array.from({ length: 10_000 }, (_, i) => `${i}\n`).join("");
    assert.equal(joined, wanted);
    assert.equal(text, wanted);
    assert.ok(count < 2000, `${count} messages`);
  });

  it("survives an onOutput that throws", async () => {
    const { outputs } = await api.evaluate(async () => {
      const python = await shared();
      return python.run("print('still here')", {
        onOutput: () => {
          throw new Error("listener");
        },
      });
    });
    assert.deepEqual(outputs, [stdout("still here\n")]);
  });

  it("takes turns", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const runs = [
        python.run("import asyncio\norder = []\nawait asyncio.sleep(0.1)\norder.append(1)"),
        python.run("order.append(2)"),
        python.run("order;"),
      ];
      return (await Promise.all(runs)).at(-1).value;
    });
    assert.deepEqual(found, [1, 2]);
  });

  it("leaves room for other calls while it awaits", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const waiting = python.run("import asyncio\nwhile not globals().get('go'): await asyncio.sleep(0.01)\ngo;");
      await sleep(50);
      await python.globals.set("go", "went");
      return (await waiting).value;
    });
    assert.equal(found, "went");
  });

  it("sets globals before and uses the name in tracebacks", async () => {
    assert.equal((await run("a + b[0];", { globals: { a: 1, b: [2] } })).value, 3);
    const error = await runFails("def f():\n    return 1/0\nf()", { filename: "lesson.py" });
    assert.equal(error.name, "PythonError");
    assert.equal(error.code, "PYTHON");
    assert.equal(error.type, "ZeroDivisionError");
    assert.match(error.message, /division by zero/);
    assert.deepEqual(error.frames, [
      { filename: "lesson.py", line: 3, name: "<module>", source: "f()" },
      { filename: "lesson.py", line: 2, name: "f", source: "return 1/0" },
    ]);
    assert.match(error.traceback, /^Traceback \(most recent call last\):\n {2}File "lesson.py", line 3/);
  });

  it("shows the user's frames in a traceback, not ours", async () => {
    const error = await runFails("import json\njson.loads('{')");
    assert.equal(error.type, "JSONDecodeError");
    assert.equal(error.frames[0].filename, "<exec>");
    assert.ok(!/_taipan|_pyodide/.test(error.traceback), error.traceback);
  });

  it("shows both ends of a traceback that nobody could read, and of exceptions as long as they are", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const recursion = await caught(
        python.run(`
import sys
limit = sys.getrecursionlimit()
sys.setrecursionlimit(5000)
def endless():
    endless()
try:
    endless()
finally:
    sys.setrecursionlimit(limit)`),
      );
      const chain = await caught(
        python.run(`
last = None
for number in range(3000):
    try:
        raise ValueError(number) from last
    except ValueError as error:
        last = error
raise last`),
      );
      return { recursion, chain };
    });
    assert.equal(found.recursion.type, "RecursionError");
    assert.equal(found.recursion.frames.length, 2000);
    assert.deepEqual([found.recursion.frames[0].name, found.recursion.frames.at(-1).name], ["<module>", "endless"]);
    assert.deepEqual([found.chain.code, found.chain.message], ["PYTHON", "ValueError: 2999"]);
    assert.match(found.chain.traceback, /ValueError: 0\n/);
  });

  it("rejects for code that does not parse, and for SystemExit", async () => {
    assert.equal((await runFails("x = = 1")).type, "SyntaxError");
    const exit = await runFails("import sys; sys.exit(3)");
    assert.deepEqual([exit.code, exit.type], ["PYTHON", "SystemExit"]);
    assert.equal((await run("2;")).value, 2);
  });

  it("says which argument is wrong", async () => {
    const wrong = await api.evaluate(async () => {
      const python = await shared();
      return Promise.all([
        caught(python.run(7)),
        caught(python.run("1", { globals: [] })),
        caught(python.run("1", { globals: { f: () => 1 } })),
        caught(python.run("1", { filename: 1 })),
        caught(python.run("1", { signal: {} })),
        caught(python.run("1", { timeoutMs: -1 })),
        caught(python.run("1", { timeoutMs: Number.NaN })),
        caught(python.run("1", { onOutput: "print" })),
      ]);
    });
    const names = ["code", "globals", "globals", "filename", "signal", "timeoutMs", "timeoutMs", "onOutput"];
    for (const [index, name] of names.entries()) {
      assert.equal(wrong[index].code, "BAD_ARGUMENT");
      assert.ok(wrong[index].message.startsWith(`${name} `), wrong[index].message);
    }
  });

  it("refuses options that do not exist: a limit that is misspelt would be none", async () => {
    const wrong = await api.evaluate(async () => {
      const python = await shared();
      return Promise.all([
        caught(python.run("1", { timeout: 100 })),
        caught(python.install("six", { indexUrls: [] })),
        caught(python.loadPackage("six", { abort: 1 })),
        caught(python.bake("lesson")),
        caught(python.checkpoint({ name: "before" })),
        caught(taipan.loadPython(null)),
      ]);
    });
    const names = ["timeout", "indexUrls", "abort", "options", "name", "options"];
    for (const [index, name] of names.entries()) {
      assert.equal(wrong[index].code, "BAD_ARGUMENT", name);
      assert.ok(wrong[index].message.startsWith(`${name} `), wrong[index].message);
    }
    assert.match(wrong[0].hint, /timeoutMs/);
  });

  it("sends what belongs to no run to the onOutput of the start", async () => {
    const found = await api.evaluate(async () => {
      const stray = [];
      const python = await start({ onOutput: (output) => stray.push(output) });
      const code =
        "import asyncio\nasync def later():\n    await asyncio.sleep(0.05)\n    print('late')\nt = asyncio.ensure_future(later())";
      const { outputs } = await python.run(code);
      await sleep(300);
      python.dispose();
      return { outputs, stray };
    });
    assert.deepEqual(found.outputs, []);
    assert.equal(found.stray.map(({ text }) => text).join(""), "late\n");
  });

  it("writes to stderr what warnings say", async () => {
    const { outputs } = await run("import warnings\nwarnings.warn('careful')");
    assert.equal(outputs[0].type, stderr("").type);
    assert.match(outputs[0].text, /careful/);
  });
});

describe("global variables", () => {
  it("are read and set as plain data", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.globals.set("data", { rows: [1, 2, 3], name: "x", bytes: new Uint8Array([1, 2]) });
      const { value } = await python.run("sum(data['rows']) + len(data['bytes']);");
      await python.run("answer = {'x': [1, 2]}");
      return {
        value,
        answer: await python.globals.get("answer"),
        missing: await caught(python.globals.get("no_such_variable")),
        unsendable: await caught(python.globals.set("f", () => 1)),
        unnamed: await caught(python.globals.set("", 1)),
      };
    });
    assert.equal(found.value, 8);
    assert.deepEqual(found.answer, { x: [1, 2] });
    assert.equal(found.missing.code, "PYTHON");
    assert.equal(found.unsendable.code, "BAD_ARGUMENT");
    assert.equal(found.unnamed.code, "BAD_ARGUMENT");
  });
});
