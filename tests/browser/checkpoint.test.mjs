/** Checkpoints: Python goes back to what it was, in place. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { wheelOf } from "./support/wheels.mjs";

/** Of each distribution: a package with side modules, how to get it, and work that gives 10 and 11; side modules for more. */
const SETS = [
  {
    version: "0.28.3",
    name: "numpy",
    wheels: [],
    work: "import numpy as np; float(np.linalg.det(np.array([[4.0, 1], [2, 3]])).__round__(6))",
    keep: "import numpy as np; kept = np.arange(5)",
    later: "np.linalg.inv(np.eye(2) * 2).sum().item() + kept.sum().item()",
    more: "import regex, numpy.linalg, kiwisolver; numpy.linalg.inv(np.eye(3))",
    again: "import kiwisolver; [kept.tolist(), kiwisolver.__name__, np.linalg.det(np.eye(2)).item()]",
    all: [[0, 1, 2, 3, 4], "kiwisolver", 1],
  },
  {
    version: "314.0.7",
    name: "msgspec",
    wheels: [wheelOf("msgspec"), wheelOf("msgpack")],
    work: "import msgspec; sum(msgspec.json.decode(b'[1, 2, 3, 4]', type=list[int]))",
    keep: "import msgspec; kept = msgspec.defstruct('Kept', [('numbers', list[int])])([0, 1, 2, 3, 4])",
    later: "len(msgspec.msgpack.encode([None])) - 1 + sum(msgspec.to_builtins(kept)['numbers'])",
    more: "from msgpack import _cmsgpack; _cmsgpack.Packer().pack(1); msgspec.json.decode(msgspec.json.encode(kept))",
    again:
      "from msgpack import _cmsgpack; [kept.numbers, _cmsgpack.Packer().pack('x').hex(), msgspec.json.decode(b'1')]",
    all: [[0, 1, 2, 3, 4], "a178", 1],
  },
];

for (const set of SETS) {
  describe(`checkpoints of ${set.version}`, { timeout: 600_000 }, () => {
    let api;
    before(async () => {
      api = await openApiPage({ version: set.version });
      await api.evaluate(() => {
        /** The value of an expression after a statement. */
        globalThis.value = async (python, code) => (await python.run(code)).value;
        globalThis.python = start();
      });
    });
    after(() => api?.close());

    it("bring variables, functions, random numbers and what was printed back to be as they were", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        await it.run("import random; values = [1, 2]; text = 'before'; random.seed(7)");
        const before = await it.checkpoint();
        const first = await value(it, "values.append(random.random()); del text; f = lambda: 1; values[2]");
        await it.rollback(before);
        const state = await value(it, "[values, text, 'f' in globals()]");
        const second = await value(it, "random.random()");
        await it.rollback(before);
        const third = await value(it, "random.random()");
        before.dispose();
        return { first, state, second, third, bytes: before.bytes };
      });
      assert.deepEqual(found.state, [[1, 2], "before", false]);
      assert.equal(found.second, found.first);
      assert.equal(found.third, found.first);
      assert.ok(found.bytes > 1e6 && found.bytes < 40e6, `${found.bytes} bytes`);
    });

    it("take memory for what has changed", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        const first = await it.checkpoint();
        await it.run("small = 1");
        const second = await it.checkpoint();
        await it.run("large = bytearray(b'x' * 10_000_000)");
        const third = await it.checkpoint();
        const held = (await it.memory()).checkpoints;
        for (const checkpoint of [first, second, third]) checkpoint.dispose();
        await it.run("del large");
        return { bytes: [first.bytes, second.bytes, third.bytes], held, left: (await it.memory()).checkpoints };
      });
      const [first, second, third] = found.bytes;
      assert.ok(second < first / 10, `${second} of ${first} bytes`);
      // All its pages are the same.
      assert.ok(third < 4e6, `${third} bytes`);
      assert.equal(found.held, first + second + third);
      assert.equal(found.left, 0);
    });

    it("go to any of several, in any order, as often as one likes", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        const checkpoints = [];
        for (let n = 0; n < 4; n += 1) {
          await it.run(`n = ${n}; data = list(range(n * 10000))`);
          checkpoints.push(await it.checkpoint());
        }
        const seen = [];
        for (const which of [1, 3, 0, 0, 2, 3, 1]) {
          await it.rollback(checkpoints[which]);
          seen.push(await value(it, "[n, len(data)]"));
        }
        checkpoints[1].dispose();
        await it.rollback(checkpoints[2]);
        seen.push(await value(it, "[n, len(data)]"));
        for (const checkpoint of checkpoints) checkpoint.dispose();
        return seen;
      });
      assert.deepEqual(
        found,
        [1, 3, 0, 0, 2, 3, 1, 2].map((n) => [n, n * 10000]),
      );
    });

    it("bring files, open files, mounts and the current directory back", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        await it.run(`
import io, os, tempfile
os.makedirs("/work/sub"); os.chdir("/work/sub")
open("kept.txt", "w").write("kept"); open("gone.txt", "w").write("gone")
reader = open("gone.txt"); reader.read(2)
writer = open("log.txt", "w"); writer.write("one "); writer.flush(); writer.write("two ")
unnamed = tempfile.TemporaryFile("w+"); unnamed.write("no name"); unnamed.flush()
buffer = io.BytesIO(b"abc"); buffer.read(1)`);
        await it.fs.mount("/mounted/before.txt", new TextEncoder().encode("mounted"));
        const before = await it.checkpoint();
        await it.run(`
writer.write("three"); writer.close(); reader.close(); unnamed.close(); buffer.read()
os.unlink("gone.txt"); os.rename("kept.txt", "renamed.txt"); open("new.txt", "w").write("new")
held = open("new.txt")
os.mkdir("other"); os.chdir("other"); os.chmod("/work", 0o700)`);
        await it.fs.unmount("/mounted/before.txt");
        await it.fs.mount("/mounted/since.txt", new TextEncoder().encode("since"));
        await it.rollback(before);
        const state = await value(
          it,
          `
writer.write("four"); writer.close()
[os.getcwd(), sorted(os.listdir()), open("kept.txt").read(), reader.read(), open("log.txt").read(),
 (unnamed.seek(0), unnamed.read())[1], buffer.read().decode(), oct(os.stat("/work").st_mode), os.listdir("/mounted"),
 open("/mounted/before.txt").read(), len(os.listdir("/proc/self/fd")) < 20]`,
        );
        await it.run("reader.close(); unnamed.close(); os.chdir('/home/pyodide')");
        before.dispose();
        return state;
      });
      assert.deepEqual(found, [
        "/work/sub",
        ["gone.txt", "kept.txt", "log.txt"],
        "kept",
        "ne",
        "one two four",
        "no name",
        "bc",
        "0o40777",
        ["before.txt"],
        "mounted",
        true,
      ]);
    });

    it("undo packages and imports; what is imported again is linked again", async () => {
      const found = await api.evaluate(async ({ name, wheels, work, keep, later }) => {
        const it = await python;
        const before = await it.checkpoint();
        const isLoaded = async () => (await it.loadedPackages()).some((loaded) => loaded.name === name);
        const state = [];
        const there = `import os, sys, sysconfig
['${name}' in sys.modules, os.path.exists(sysconfig.get_path("purelib") + '/${name}')]`;
        for (let n = 0; n < 3; n += 1) {
          if (wheels.length > 0) await it.loadPackage(wheels);
          state.push(await value(it, work), await isLoaded());
          await it.rollback(before);
          state.push(await isLoaded(), await value(it, there));
        }
        if (wheels.length > 0) await it.loadPackage(wheels);
        await it.run(keep);
        const linked = await it.checkpoint();
        await it.rollback(before);
        state.push(await value(it, "'kept' in globals()"));
        await it.rollback(linked);
        state.push(await value(it, later));
        await it.rollback(before);
        before.dispose();
        linked.dispose();
        if (wheels.length > 0) await it.loadPackage(wheels);
        state.push(await value(it, work));
        return state;
      }, set);
      const once = [10, true, false, [false, false]];
      assert.deepEqual(found, [...once, ...once, ...once, false, 11, 10]);
    });

    it("bring JavaScript values that Python held back, and let go of later ones", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        await it.run(`
import js
from pyodide.ffi import create_proxy
kept = js.Object.new(); kept.name = "kept"
gone = js.Array.of(1, 2); same = gone
called = []
listener = create_proxy(lambda *_: called.append("early"))
js.globalThis.early = listener
other = create_proxy(lambda *_: called.append("other"))
js.globalThis.other = other`);
        const before = await it.checkpoint();
        await it.run(`
del gone, same
kept.name = "changed"
for n in range(300):
    later = js.Object.new()
other.destroy()
js.globalThis.late = create_proxy(lambda *_: called.append("late"))
js.globalThis.cached = create_proxy([1, 2])`);
        await it.rollback(before);
        const state = await value(
          it,
          `
import gc
gc.collect()
try:
    js.globalThis.late()
except Exception as error:
    undone = str(error)
js.globalThis.early(); js.globalThis.other()
more = [js.Object.new() for _ in range(300)]
[kept.name, list(gone), gone == same, called, undone, len({id(item) for item in more})]`,
        );
        before.dispose();
        return state;
      });
      assert.deepEqual(found.slice(0, 4), ["changed", [1, 2], true, ["early", "other"]]);
      assert.match(found[4], /made after the checkpoint/);
    });

    it("let tasks that waited wait again: for time, and for promises that have been settled since", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        await it.run(`
import asyncio, js
log = []
event = asyncio.Event()
async def sleeper():
    await asyncio.sleep(1.5)
    log.append("slept")
async def waiter():
    log.append(await js.Promise.resolve("value"))
    log.append(await promise)
    event.set()
async def second():
    await event.wait()
    log.append("event")
async def stepper():
    async for value in steps:
        log.append(value)
resolvers = js.Promise.withResolvers()
promise = resolvers.promise
steps = js.eval("(async function* (promise) { yield 'step'; yield await promise })")(promise)
tasks = [asyncio.create_task(task()) for task in (sleeper, waiter, second, stepper)]
await asyncio.sleep(0.02)`);
        const before = await it.checkpoint();
        await it.run("resolvers.resolve('late'); await asyncio.gather(*tasks)");
        const first = await value(it, "log");
        await it.rollback(before);
        const between = await value(it, "list(log)");
        const second = await value(it, "await asyncio.gather(*tasks); log");
        await it.rollback(before);
        await it.run(`
async def later():
    await asyncio.sleep(0.05)
    log.append("never")
tasks.append(asyncio.create_task(later()))
tasks.append(asyncio.create_task(waiter()))
await asyncio.sleep(0)`);
        await it.rollback(before);
        await sleep(300);
        const third = await value(it, "await asyncio.gather(*tasks); log");
        before.dispose();
        return { first, between, second, third };
      });
      // What else there is has been told again.
      assert.deepEqual(found.between.slice(0, 2).sort(), ["step", "value"]);
      for (const log of [found.first, found.second, found.third]) {
        assert.deepEqual([...log].sort(), ["event", "late", "late", "slept", "step", "value"]);
      }
    });

    it("give back memory that has grown, filled with zeros", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        const before = await it.checkpoint();
        await it.run("big = bytearray(80_000_000)\nfor i in range(0, len(big), 4096): big[i] = i % 255 + 1");
        await it.rollback(before);
        const state = await value(it, "again = bytearray(80_000_000); ['big' in globals(), sum(again)]");
        await it.rollback(before);
        before.dispose();
        return state;
      });
      assert.deepEqual(found, [false, 0]);
    });

    it("go back from code that failed, and from inside of a traceback", async () => {
      const found = await api.evaluate(async () => {
        const it = await python;
        const before = await it.checkpoint();
        const failed = await caught(it.run("counter = 1\ndef f(n):\n    return f(n + 1)\nf(0)"));
        await it.rollback(before);
        const stopped = await caught(it.run("while True: pass", { timeoutMs: 200 }));
        await it.rollback(before);
        const state = await value(it, "'counter' in globals()");
        before.dispose();
        return [failed.type, stopped.code, state];
      });
      assert.deepEqual(found, ["RecursionError", "TIMEOUT", false]);
    });

    it("of before a restart, disposed of, or of another interpreter, are refused, and Python goes on", async () => {
      const found = await api.evaluate(async () => {
        const one = await start();
        const other = await start();
        const kept = await one.checkpoint();
        const disposed = await one.checkpoint();
        disposed.dispose();
        disposed.dispose();
        const failures = [await caught(one.rollback(disposed)), await caught(other.rollback(kept))];
        await one.restart();
        failures.push(await caught(one.rollback(kept)), await caught(one.rollback({})));
        const result = await value(one, "1 + 1");
        one.dispose();
        failures.push(await caught(one.checkpoint()));
        kept.dispose();
        other.dispose();
        return { codes: failures.map(({ code }) => code), result };
      });
      assert.deepEqual(found.codes, [
        "CHECKPOINT_GONE",
        "CHECKPOINT_GONE",
        "CHECKPOINT_GONE",
        "BAD_ARGUMENT",
        "DISPOSED",
      ]);
      assert.equal(found.result, 2);
    });

    it("make room for later ones, and are refused where there is none", async () => {
      const found = await api.evaluate(async () => {
        const it = await start({ checkpointLimit: 60_000_000 });
        await it.run("import os; data = os.urandom(30_000_000)");
        const old = await it.checkpoint();
        await it.run("data = None; data = os.urandom(30_000_000)");
        const young = await it.checkpoint();
        const gone = await caught(it.rollback(old));
        await it.run("more = os.urandom(60_000_000)");
        const none = await caught(it.checkpoint());
        const result = await value(it, "len(more)");
        const held = (await it.memory()).checkpoints;
        await it.rollback(young);
        const back = await value(it, "[len(data), 'more' in globals()]");
        it.dispose();
        return { gone: gone.code, none: none.code, hint: none.hint, bytes: young.bytes, held, result, back };
      });
      assert.equal(found.gone, "CHECKPOINT_GONE");
      assert.equal(found.none, "OUT_OF_MEMORY");
      assert.match(found.hint, /checkpointLimit/);
      assert.equal(found.result, 60_000_000);
      // One that is refused costs no other its place.
      assert.deepEqual(found.back, [30_000_000, false]);
      // What it shared with the one that went is its own now.
      assert.equal(found.bytes, found.held);
    });

    it("are refused while a pipe is open, or a task has its stack elsewhere", async () => {
      const found = await api.evaluate(async () => {
        const it = await start();
        await it.run("import os; ends = os.pipe()");
        const pipe = await caught(it.checkpoint());
        await it.run(`
for end in ends: os.close(end)
import asyncio, js
from pyodide.ffi import run_sync, can_run_sync
async def task():
    run_sync(promise)
resolvers = js.Promise.withResolvers()
promise = resolvers.promise
running = asyncio.create_task(task())
await asyncio.sleep(0.05)`);
        const suspended = await caught(it.checkpoint());
        await it.run("resolvers.resolve(1); await running");
        const afterwards = await caught(it.checkpoint());
        it.dispose();
        return [pipe.code, suspended.code, afterwards.code];
      });
      assert.deepEqual(found, ["NOT_SUPPORTED", "NOT_SUPPORTED", undefined]);
    });

    it("of an interpreter that was restored from an image work too, and so do images of one that went back", async () => {
      const found = await api.evaluate(async ({ wheels, keep, more, again }) => {
        const it = await start({ packages: wheels });
        await it.run(keep);
        const before = await it.checkpoint();
        await it.run(`${more}\nimport js; kept = None; thing = js.Object.new()`);
        await it.rollback(before);
        const url = URL.createObjectURL(await it.bake());
        it.dispose();
        const restored = await start({ image: url });
        const refused = restored.timings.imageRefused;
        const second = await restored.checkpoint();
        await restored.run(`${more}\nkept = None`);
        await restored.rollback(second);
        const state = await value(restored, again);
        restored.dispose();
        return { refused, state };
      }, set);
      assert.equal(found.refused, undefined);
      assert.deepEqual(found.state, set.all);
    });
  });
}
