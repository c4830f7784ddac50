/** What JavaScript's collector frees is freed once in Python, wherever it happens. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { PLAIN } from "./programs/equal_after_restoring.mjs";

/** Collects, and lets the finalizers run: they are tasks of their own. */
const COLLECT = `
import asyncio, js
for _ in range(3):
    js.gc()
    await asyncio.sleep(0.002)
`;

/** Objects that JavaScript gets, uses up and forgets. Python says which of them are still there. */
const FORGET = `
import gc, js, weakref
from pyodide.code import run_js
class Thing:
    pass
def numbers(thing):
    yield from (1, 2, 3)
things = []
def thing():
    made = Thing()
    things.append(weakref.ref(made))
    return made
def use_up():
    exhausted = run_js("(generator) => [...generator].length")
    left = run_js("(generator) => { for (const number of generator) return number }")
    forgotten = run_js("(object) => undefined")
    for _ in range(20):
        assert exhausted(numbers(thing())) == 3
        assert left(numbers(thing())) == 1
        forgotten(thing())
use_up()
`;

/** Ways in which JavaScript holds Python: what it gets in `hold`, and what it does with it later. */
const HOLD = `
import sys
from pyodide.code import run_js
from pyodide.ffi import create_once_callable
class Numbers:
    def __iter__(self):
        yield from range(10)
    async def __aiter__(self):
        for number in range(10):
            yield number
async def hold():
    run_js("globalThis.held = { iterators: [], later: [], once: [] }")
    iterate = run_js("(numbers) => { const it = numbers[Symbol.iterator](); held.iterators.push(it); return it.next().value }")
    later = run_js("async (numbers) => { const it = numbers[Symbol.asyncIterator](); held.later.push(it); await it.next() }")
    keep = run_js("(once) => void held.once.push(once)")
    for _ in range(50):
        iterate(Numbers())
        await later(Numbers())
        keep(create_once_callable(lambda: None))
async def use():
    return (await run_js("""async () => [
        held.iterators[0].next().done,
        (await held.later[0].next()).done,
        held.once[0]() === undefined,
        (() => { try { held.once[1].destroy() } catch (error) { return String(error) } })(),
    ]""")()).to_py()
def fill():
    """Objects of the kinds that JavaScript held, where those were."""
    made = [iter(Numbers()) for _ in range(200)], [aiter(Numbers()) for _ in range(200)], [eval("lambda: None") for _ in range(200)]
    return [[next(it) for it in made[0]], made]
def references():
    return [sorted({sys.getrefcount(item) for item in items}) for items in filled[1]]
`;

/** Tasks that wait for what generators of JavaScript's give. */
const WAIT = `
import asyncio, sys
from pyodide.code import run_js
make = run_js("globalThis.release = []; (async function* () { yield await new Promise((resolve) => release.push(resolve)) })")
heard, tasks = [], []
async def hear(generator):
    async for value in generator:
        heard.append(value)
async def wait():
    tasks.extend(asyncio.ensure_future(hear(make())) for _ in range(50))
    await asyncio.sleep(0)
`;

for (const version of ["0.28.3", "314.0.7"]) {
  describe(`the collector, with ${version}`, { timeout: 300_000 }, () => {
    let page;
    before(async () => {
      page = await openApiPage({ version, flags: ["--js-flags=--expose-gc"] });
    });
    after(() => page.close());

    it("frees what JavaScript has forgotten, and nothing twice", async () => {
      const alive = await page.evaluate(
        async ({ collect, forget, programs }) => {
          globalThis.python = await start();
          for (let round = 0; round < 3; round += 1) {
            await python.run(forget);
            for (const program of [...programs, ""]) await python.run(`${collect}${program}${collect}`);
          }
          return (await python.run("gc.collect(); sum(made() is not None for made in things)")).value;
        },
        { collect: COLLECT, forget: FORGET, programs: Object.values(PLAIN) },
      );
      assert.equal(alive, 0);
    });

    it("runs before and after an image is baked and restored", async () => {
      const printed = await page.evaluate(
        async ({ collect, forget, programs }) => {
          // A new one: exceptions that programs have caught keep JavaScript's arguments.
          python.dispose();
          globalThis.python = await start();
          await python.run(forget);
          const image = await python.bake();
          await python.run(collect);
          python.dispose();
          globalThis.python = await start({ image: URL.createObjectURL(new Blob([image])) });
          for (const program of [forget, ...programs]) await python.run(`${collect}${program}${collect}`);
          return (await python.run("gc.collect(); print(sum(made() is not None for made in things))")).outputs;
        },
        { collect: COLLECT, forget: FORGET, programs: Object.values(PLAIN) },
      );
      assert.deepEqual(
        printed.map(({ text }) => text),
        ["0\n"],
      );
    });

    it("runs after going back to a checkpoint", async () => {
      const alive = await page.evaluate(
        async ({ collect, forget }) => {
          for (let round = 0; round < 3; round += 1) {
            const before = await python.checkpoint();
            await python.run(`${forget}${collect}`);
            await python.rollback(before);
            await python.run(`${collect}${forget}${collect}`);
          }
          return (await python.run("gc.collect(); sum(made() is not None for made in things)")).value;
        },
        { collect: COLLECT, forget: FORGET },
      );
      assert.equal(alive, 0);
    });

    it("frees nothing at addresses of what was made after the checkpoint", async () => {
      const found = await page.evaluate(
        async ({ collect, hold }) => {
          await python.run(hold);
          const before = await python.checkpoint();
          await python.run("await hold()");
          await python.rollback(before);
          const used = (await python.run("filled = fill(); count = references(); await use()")).value;
          await python.run(`run_js("globalThis.held = undefined")${collect}`);
          const counts = (await python.run("[count, references()]")).value;
          before.dispose();
          return { used, counts };
        },
        { collect: COLLECT, hold: HOLD },
      );
      assert.deepEqual(found.used.slice(0, 3), [true, true, true]);
      assert.match(found.used[3], /after the checkpoint/);
      assert.deepEqual(found.counts[1], found.counts[0]);
      for (const counts of found.counts[0]) assert.equal(counts.length, 1);
    });

    it("frees and calls nothing for tasks that began to wait after the checkpoint", async () => {
      const found = await page.evaluate(
        async ({ collect, wait }) => {
          await python.run(wait);
          const before = await python.checkpoint();
          await python.run("await wait()");
          await python.rollback(before);
          // Of the kind that the tasks gave to JavaScript, and where those were.
          await python.run("filled = [asyncio.Future().set_result for _ in range(300)]");
          const count = "[run_js('release.length'), heard, sorted({sys.getrefcount(method) for method in filled})]";
          const counts = [(await python.run(count)).value];
          await python.run(
            `run_js("release.forEach((resolve) => resolve('late'))")\nawait asyncio.sleep(0.01)${collect}`,
          );
          counts.push((await python.run(count)).value);
          before.dispose();
          return counts;
        },
        { collect: COLLECT, wait: WAIT },
      );
      assert.equal(found[0][2].length, 1);
      assert.deepEqual(found, Array(2).fill([50, [], found[0][2]]));
    });

    it("frees once what JavaScript had at the checkpoint, used up or forgotten since or not", async () => {
      const found = await page.evaluate(
        async ({ collect, hold }) => {
          const value = async (code) => (await python.run(code)).value;
          await python.run(`${hold}
import gc, types
def count():
    gc.collect()
    kinds = (types.GeneratorType, types.AsyncGeneratorType, types.FunctionType)
    ours = ("Numbers.__iter__", "Numbers.__aiter__", "hold.<locals>.<lambda>")
    things = [item for item in gc.get_objects() if type(item) in kinds and item.__qualname__ in ours]
    return len(things)
others = count()
await hold()`);
          const before = await python.checkpoint();
          const seen = [await value("count() - others")];
          await python.run(`run_js("""() => {
  for (const it of held.iterators.slice(0, 10)) for (const _ of it);
  for (const once of held.once.slice(0, 10)) once();
  for (const once of held.once.slice(10, 20)) once.destroy();
  const kept = { iterators: held.iterators.slice(20, 30), later: [], once: held.once.slice(20, 30) };
  globalThis.held = kept;
}""")()${collect}${collect}`);
          const since = await value("count() - others");
          await python.rollback(before);
          seen.push(await value("count() - others"));
          // Those that JavaScript still has go on where Python's memory is.
          const next = await value(`run_js("held.iterators.map((it) => it.next().value)").to_py()`);
          const called = await value(`run_js("held.once.map((once) => once() === undefined).length")`);
          await python.run(`run_js("globalThis.held = undefined")${collect}`);
          before.dispose();
          await python.run(`${collect}${collect}`);
          seen.push(await value("count() - others"));
          return { since, seen, next, called };
        },
        { collect: COLLECT, hold: HOLD },
      );
      // The checkpoint keeps what JavaScript has only forgotten.
      assert.equal(found.since, 120);
      assert.deepEqual(found.seen, [150, 150, 0]);
      assert.deepEqual(found.next, Array(10).fill(1));
      assert.equal(found.called, 10);
    });
  });
}
