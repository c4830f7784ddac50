/** Checkpoints that cannot be taken or gone back to: what is said, and that Python goes on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SETS, usePageOf } from "./support/checkpoint-sets.mjs";

for (const set of SETS) {
  describe(`refused checkpoints of ${set.version}`, { timeout: 600_000 }, () => {
    const api = usePageOf(set);

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
  });
}
