/** Images: Python as it was when it was baked, in another interpreter. */
import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { BEFORE } from "./programs/equal_after_restoring.mjs";

describe("images", { timeout: 600_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage({ roots: { "/314.0.7/": distributionFolder("314.0.7") } });
    await api.page.evaluate(`globalThis.BEFORE = ${JSON.stringify(BEFORE)}`);
    await api.page.evaluate(() => {
      globalThis.bakeOnce = (async () => {
        const python = await start();
        await python.run(globalThis.BEFORE);
        const image = await python.bake();
        globalThis.original = python;
        globalThis.image = image;
        return image.size;
      })();
    });
  });
  after(() => api?.close());

  it("are baked from an interpreter that goes on", async () => {
    const { size, value } = await api.evaluate(async () => ({
      size: await bakeOnce,
      value: (await original.run("kept_function(2)")).value,
    }));
    assert.equal(value, 6);
    assert.ok(size > 10e6 && size < 70e6, `${size} bytes`);
  });

  it("are restored without importing or compiling anything", async () => {
    const found = await api.evaluate(async () => {
      globalThis.address = URL.createObjectURL(image);
      globalThis.restored = await start({ image: address });
      const { timings } = restored;
      const { value } = await restored.run("import sys; [name in sys.modules for name in ('pandas', 'numpy')]");
      return { timings, value, packages: (await restored.loadedPackages()).map(({ name }) => name) };
    });
    assert.equal(found.timings.imageRefused, undefined);
    assert.deepEqual(found.value, [true, true]);
    assert.ok(found.packages.includes("pandas"));
    assert.ok(found.timings.filesInflated < 20, `${found.timings.filesInflated} files were inflated`);
  });

  it("do not give two interpreters the same random numbers", async () => {
    const values = await api.evaluate(async () => {
      const program = `
import random, uuid, secrets, numpy
[random.random(), float(numpy.random.random()), str(uuid.uuid4()), secrets.token_hex(8)]`;
      const values = [];
      for (let i = 0; i < 2; i += 1) {
        const python = await start({ image: address });
        values.push((await python.run(program)).value);
        python.dispose();
      }
      return values;
    });
    values[0].forEach((value, index) => {
      assert.notEqual(value, values[1][index]);
    });
  });

  it("do not give two interpreters the number that NumPy held back", async () => {
    const values = await api.evaluate(async () => {
      const python = await start();
      await python.run("import numpy; numpy.random.seed(1); numpy.random.normal()");
      const url = URL.createObjectURL(await python.bake());
      python.dispose();
      const values = [];
      for (let i = 0; i < 2; i += 1) {
        const again = await start({ image: url });
        values.push((await again.run("[float(numpy.random.normal()) for _ in range(3)]")).value);
        again.dispose();
      }
      return values.flat();
    });
    assert.equal(new Set(values).size, 6, values.join(" "));
  });

  it("have CPython's symbols where they were, those that nobody had looked up too", async () => {
    const program = `
import ctypes, sys
as_address = lambda function: ctypes.cast(function, ctypes.c_void_p).value
version = ctypes.c_uint32.in_dll(ctypes.pythonapi, "Py_Version").value
# tp_getattro is the nineteenth word of a type.
slot = ctypes.c_uint32.from_address(id(object) + 18 * 4).value
[version == sys.hexversion, slot == as_address(ctypes.pythonapi.PyObject_GenericGetAttr),
 ctypes.pythonapi.Py_IsInitialized(), hasattr(ctypes.pythonapi, "no_such_symbol")]`;
    const found = await api.evaluate(async (program) => {
      const values = [];
      for (const image of ["none", address]) {
        const python = await start({ image });
        values.push((await python.run(program)).value);
        python.dispose();
      }
      return values;
    }, program);
    assert.deepEqual(found, Array(2).fill([true, true, 1, false]));
  });

  it("take the environment of the page that restores them", async () => {
    const value = await api.evaluate(async () => {
      const python = await start({ image: address, env: { COURSE: "two" } });
      const { value } = await python.run("import os; os.environ['COURSE']");
      python.dispose();
      return value;
    });
    assert.equal(value, "two");
  });

  it("have none of the environment variables that the page gave which baked them", async () => {
    const found = await api.evaluate(async () => {
      const first = await start({ env: { TOKEN: "of the baker", COURSE: "one" } });
      await first.run("import os; os.environ['MINE'] = 'set by code'");
      const once = URL.createObjectURL(await first.bake());
      first.dispose();
      const look = async (image, env) => {
        const python = await start({ image, env });
        const program = `
import os, posix
[[os.environ.get(name), os.getenv(name)] for name in ("TOKEN", "COURSE", "MINE", "HOME")]`;
        const { value } = await python.run(program);
        const { imageRefused } = python.timings;
        const again = URL.createObjectURL(await python.bake());
        python.dispose();
        return { value, imageRefused, again };
      };
      const second = await look(once, { COURSE: "two", LATER: "yes" });
      const third = await look(second.again, {});
      return [second, third];
    });
    const twice = (...values) => values.map((value) => [value, value]);
    assert.deepEqual(
      found.map(({ imageRefused }) => imageRefused),
      [undefined, undefined],
    );
    assert.deepEqual(found[0].value, twice(null, "two", "set by code", "/home/pyodide"));
    assert.deepEqual(found[1].value, twice(null, null, "set by code", "/home/pyodide"));
  });

  for (const version of ["0.28.3", "314.0.7"]) {
    it(`of ${version} take the time zone of the browser that restores them`, async () => {
      const other = await openApiPage({ version });
      const session = await other.page.context().newCDPSession(other.page);
      const program = `
import time
from datetime import datetime
at = [datetime(2024, month, 1, 12).astimezone() for month in (1, 7)]
[list(time.tzname), time.timezone, time.altzone, time.daylight, [moment.isoformat() for moment in at],
 [moment.tzname() for moment in at], [time.localtime(moment.timestamp()).tm_zone for moment in at],
 time.strftime("%Z", time.localtime(at[0].timestamp()))]`;
      const inZone = async (timezoneId, image, bakes) => {
        await session.send("Emulation.setTimezoneOverride", { timezoneId });
        return other.evaluate(
          async ({ image, program, bakes }) => {
            const python = await start({ image });
            const { value } = await python.run(program);
            const { imageRefused } = python.timings;
            const url = bakes && URL.createObjectURL(await python.bake());
            python.dispose();
            return { value, imageRefused, url };
          },
          { image, program, bakes },
        );
      };
      try {
        const [berlin, york] = ["Europe/Berlin", "America/New_York"];
        const images = { [berlin]: await inZone(berlin, "none", true), [york]: await inZone(york, "none", true) };
        assert.notDeepEqual(images[berlin].value, images[york].value);
        for (const [baked, restored] of [
          [berlin, york],
          [york, berlin],
        ]) {
          const found = await inZone(restored, images[baked].url);
          assert.equal(found.imageRefused, undefined);
          assert.deepEqual(found.value, images[restored].value, `${baked} to ${restored}`);
        }
      } finally {
        await other.close();
      }
    });
  }

  it("can be baked again from a restored interpreter", async () => {
    const value = await api.evaluate(async () => {
      const python = await start({ image: address });
      await python.run("import json; later = json.dumps(kept_frame.to_dict())");
      const second = URL.createObjectURL(await python.bake());
      python.dispose();
      const again = await start({ image: second });
      URL.revokeObjectURL(second);
      const { value } = await again.run("kept_frame.groupby('a').b.count(); [later, kept_function(5)]");
      const refused = again.timings.imageRefused;
      again.dispose();
      return { value, refused };
    });
    assert.deepEqual(value, { value: ['{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": null}}', 15], refused: undefined });
  });

  it("stop and show errors as ever", async () => {
    const outcome = await api.evaluate(async () => {
      const python = await start({ image: address });
      const running = caught(python.run("while True: pass"));
      await sleep(300);
      await python.interrupt();
      const interrupted = await running;
      const failed = await caught(python.run("def f():\n    1 / 0\nf()", { filename: "lesson.py" }));
      python.dispose();
      return { interrupted, failed };
    });
    assert.equal(outcome.interrupted.code, "INTERRUPTED");
    assert.equal(outcome.failed.type, "ZeroDivisionError");
    assert.deepEqual(
      outcome.failed.frames.map(({ filename, line }) => [filename, line]),
      [
        ["lesson.py", 3],
        ["lesson.py", 2],
      ],
    );
  });

  it("cannot hold a JavaScript object that nobody can find again: the variable is named, and Python goes on", async () => {
    const outcome = await api.evaluate(async () => {
      const python = await start();
      await python.run("import js; held = js.Object.new(); held.x = 1");
      const failure = await caught(python.bake());
      const { value } = await python.run("del held; 5");
      const size = (await python.bake()).size;
      python.dispose();
      return { failure, value, size };
    });
    assert.equal(outcome.failure.code, "NOT_SUPPORTED");
    assert.match(outcome.failure.message, /`held`.*\[object Object\]\./);
    assert.equal(outcome.value, 5);
    assert.ok(outcome.size > 5e6);
  });

  it("have JavaScript values whose references stood for something else when Python started", async () => {
    const outcome = await api.evaluate(async () => {
      const python = await start();
      await python.run("kept = 1");
      const { value: early } = await python.run(`
import js, pyodide_js
names = ["JSON", "Math", "Reflect", "console"]
values = [getattr(js, name) for name in names]
value_at = getattr(pyodide_js._module, "__hiwire_get")
sum(value_at(number) in values for number in range(7))`);
      await python.run("del value_at");
      const image = URL.createObjectURL(await python.bake());
      await python.run("values[0] = js.Object.new()");
      const failure = await caught(python.bake());
      python.dispose();
      const restored = await start({ image });
      const { value } = await restored.run("[value == getattr(js, name) for value, name in zip(values, names)]");
      const { image: origin } = restored.timings;
      restored.dispose();
      return { early, failure, value, origin };
    });
    assert.ok(outcome.early > 0, "no reference was used again");
    assert.equal(outcome.failure.code, "NOT_SUPPORTED");
    assert.equal(outcome.origin, "address");
    assert.deepEqual(outcome.value, [true, true, true, true]);
  });

  it("are made of an interpreter that has fetched something: the method called last is nobody's variable", async () => {
    const outcome = await api.evaluate(async () => {
      const python = await start();
      await python.run(`
from pyodide.http import pyfetch
response = await pyfetch("/python/pyodide-lock.json")
length = len(await response.bytes())
del response`);
      const image = URL.createObjectURL(await python.bake());
      python.dispose();
      const restored = await start({ image });
      const { value } = await restored.run('length == len(await (await pyfetch("/python/pyodide-lock.json")).bytes())');
      const { image: origin } = restored.timings;
      restored.dispose();
      return { value, origin };
    });
    assert.deepEqual(outcome, { value: true, origin: "address" });
  });

  for (const what of ["damaged", "cut off", "not one", "of another format"]) {
    it(`that are ${what} cost time and nothing else`, async () => {
      const found = await api.evaluate(async (what) => {
        const bytes = new Uint8Array(await image.arrayBuffer());
        const middle = bytes.length >> 1;
        if (what === "damaged") bytes[middle] ^= 1;
        if (what === "not one") bytes.fill(7);
        if (what === "of another format") bytes[8] ^= 0x7f;
        const url = URL.createObjectURL(new Blob([what === "cut off" ? bytes.subarray(0, middle) : bytes]));
        const python = await start({ image: url });
        URL.revokeObjectURL(url);
        const { value } = await python.run("1 + 1");
        const { imageRefused } = python.timings;
        python.dispose();
        return { value, imageRefused };
      }, what);
      assert.equal(found.value, 2);
      assert.match(found.imageRefused, /image/i);
    });
  }

  for (const version of ["0.28.3", "314.0.7"]) {
    it(`of ${version} come to browsers that Pyodide does not trust with a function for odd calls, and from there`, async () => {
      const agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15";
      let image;
      const handlers = {
        "/image": async (request, response) => {
          if (request.method !== "POST") return response.end(image);
          image = await buffer(request);
          response.end();
        },
      };
      // Methods in C whose type does not say how many arguments they are called with.
      const program = "value = sorted([3, 1], key=abs); sorted(value + [2], key=float)";
      const visit = async (flags) => {
        const other = await openApiPage({ version, handlers, flags });
        try {
          return await other.evaluate(async (program) => {
            const python = await start({ image: "/image" });
            const { value } = await python.run(program);
            const { imageRefused } = python.timings;
            await fetch("/image", { method: "POST", body: await python.bake() });
            python.dispose();
            return { value, imageRefused, agent: navigator.userAgent };
          }, program);
        } finally {
          await other.close();
        }
      };
      const [first, there, back] = [await visit(), await visit([`--user-agent=${agent}`]), await visit()];
      assert.deepEqual([first.value, there.value, back.value], Array(3).fill([1, 2, 3]));
      assert.deepEqual([there.imageRefused, back.imageRefused], [undefined, undefined]);
      assert.ok(first.imageRefused);
      assert.equal(there.agent, agent);
    });
  }

  it("that were baked with another distribution are refused", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ image: address, indexURL: "/314.0.7/" });
      const { pythonVersion, timings } = python;
      python.dispose();
      return { pythonVersion, imageRefused: timings.imageRefused };
    });
    assert.match(found.pythonVersion, /^3\.14/);
    assert.ok(found.imageRefused);
  });

  it("that cannot be fetched cost time and nothing else", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ image: "/nowhere.image" });
      const { value } = await python.run("1 + 1");
      const { imageRefused } = python.timings;
      python.dispose();
      return { value, imageRefused };
    });
    assert.equal(found.value, 2);
    assert.match(found.imageRefused, /404/);
  });
});
