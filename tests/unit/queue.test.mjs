import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isTaipanError } from "../../.cache/js/errors.js";
import { Queue } from "../../.cache/js/queue.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("the queue of runs", () => {
  it("lets one after another go on, failures included", async () => {
    const queue = new Queue();
    const log = [];
    const first = deferred();
    const a = queue.add("a", undefined, () => {
      log.push("a");
      return first.promise;
    });
    const b = queue.add("b", undefined, async () => log.push("b"));
    await settle();
    assert.deepEqual(log, ["a"]);
    first.reject(new Error("a failed"));
    await assert.rejects(a, /a failed/);
    await b;
    assert.deepEqual(log, ["a", "b"]);
  });

  it("lets who aborts leave at once, and nobody overtake", async () => {
    const queue = new Queue();
    const log = [];
    const first = deferred();
    const a = queue.add("a", undefined, () => first.promise);
    const controller = new AbortController();
    const b = queue.add("b", controller.signal, async () => log.push("b"));
    const c = queue.add("c", undefined, async () => log.push("c"));
    controller.abort("enough");
    await assert.rejects(b, (error) => isTaipanError(error, "ABORTED") && error.cause === "enough");
    await settle();
    assert.deepEqual(log, []);
    first.resolve();
    await Promise.all([a, c]);
    assert.deepEqual(log, ["c"]);
  });

  it("does not let in who has aborted before", async () => {
    const queue = new Queue();
    await assert.rejects(
      queue.add("a", AbortSignal.abort(), () => assert.fail("ran")),
      (error) => isTaipanError(error, "ABORTED"),
    );
  });
});
