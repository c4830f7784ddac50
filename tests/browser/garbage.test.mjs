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

    it("runs after going back to a checkpoint", { skip: version !== "0.28.3" && "no checkpoints there" }, async () => {
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
  });
}
