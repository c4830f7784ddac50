/** Checkpoints: Python goes back to what it was, in place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SETS, usePageOf } from "./support/checkpoint-sets.mjs";

for (const set of SETS) {
  describe(`checkpoints of ${set.version}`, { timeout: 600_000 }, () => {
    const api = usePageOf(set);

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
