import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { createSharedBuffer, PageMemory, WorkerMemory } from "../../.cache/js/shared.js";

const SOURCE = `
  import { parentPort, workerData } from "node:worker_threads";
  const { WorkerMemory } = await import(workerData.module);
  const memory = new WorkerMemory(workerData.buffer);
  parentPort.on("message", (run) => {
    try {
      const line = memory.readLine(run, () => parentPort.postMessage("ask"), () => parentPort.postMessage("askOn"));
      parentPort.postMessage({ line, interrupted: memory.takeInterrupt(run) });
    } catch (error) {
      parentPort.postMessage({ error: error.message });
    }
  });
`;

/** Lets a real thread block in `readLine` and the test answer; gives what the thread read. */
async function read(page, buffer, answer, { run = 1, before = () => {} } = {}) {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`), {
    workerData: { buffer, module: new URL("../../.cache/js/shared.js", import.meta.url).href },
  });
  let parts = 0;
  try {
    return await new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", (message) => {
        if (message === "ask") answer();
        else if (message === "askOn") {
          parts += 1;
          page.sendPart();
        } else resolve({ ...message, parts });
      });
      before();
      worker.postMessage(run);
    });
  } finally {
    await worker.terminate();
  }
}

function memory() {
  const buffer = createSharedBuffer();
  return { buffer, page: new PageMemory(buffer), worker: new WorkerMemory(buffer) };
}

describe("a line through shared memory", () => {
  const lines = {
    "an empty line": "",
    "plain text": "hello",
    "text of all sizes of characters": "aé€😀".repeat(10),
    "a line longer than the buffer, its parts ending inside of characters": `x${"€😀".repeat(60_000)}`,
    "a line exactly as long as the buffer": "y".repeat(65_536),
  };
  for (const [name, line] of Object.entries(lines)) {
    it(`is ${name}`, async () => {
      const { buffer, page } = memory();
      const result = await read(page, buffer, () => page.sendLine(line));
      assert.equal(result.line, line);
      assert.equal(result.parts, Math.max(0, Math.ceil(Buffer.byteLength(line) / 65_536) - 1));
    });
  }

  it("is the end of the file", async () => {
    const { buffer, page } = memory();
    assert.equal((await read(page, buffer, () => page.sendLine(null))).line, null);
  });

  it("is an error, cut if it is long", async () => {
    const { buffer, page } = memory();
    assert.equal((await read(page, buffer, () => page.sendFailure("no keyboard"))).error, "no keyboard");
    assert.equal((await read(page, buffer, () => page.sendFailure("z".repeat(100_000)))).error.length, 65_536);
  });

  it("comes after a short answer has left a long one behind", async () => {
    const { buffer, page } = memory();
    await read(page, buffer, () => page.sendLine("long ".repeat(100)));
    assert.equal((await read(page, buffer, () => page.sendLine("short"))).line, "short");
  });

  it("is not waited for after an interrupt, which stays to be taken", async () => {
    const { buffer, page } = memory();
    const result = await read(page, buffer, () => page.interrupt(1));
    assert.deepEqual(result, { line: undefined, interrupted: true, parts: 0 });
  });

  it("is not asked for if the interrupt was there before", async () => {
    const { buffer, page } = memory();
    const ask = () => assert.fail("asked");
    const result = await read(page, buffer, ask, { run: 4, before: () => page.interrupt(4) });
    assert.equal(result.interrupted, true);
  });

  it("is asked for although another run was to be interrupted", async () => {
    const { buffer, page } = memory();
    const result = await read(page, buffer, () => page.sendLine("ok"), { run: 5, before: () => page.interrupt(4) });
    assert.deepEqual([result.line, result.interrupted], ["ok", false]);
  });

  it("that nobody asked for changes nothing", async () => {
    const { buffer, page } = memory();
    page.sendLine("too early");
    assert.equal((await read(page, buffer, () => page.sendLine("in time"))).line, "in time");
  });
});

describe("an interrupt through shared memory", () => {
  it("is taken once, by the run that it is for", () => {
    const { page, worker } = memory();
    assert.equal(worker.takeInterrupt(1), false);
    page.interrupt(1);
    assert.equal(worker.takeInterrupt(1), true);
    assert.equal(worker.takeInterrupt(1), false);
  });

  it("that came too late does not hit the next run", () => {
    const { page, worker } = memory();
    page.interrupt(1);
    assert.equal(worker.takeInterrupt(2), false);
    assert.equal(worker.takeInterrupt(1), false);
  });

  it("can be put back, unless there is a newer one", () => {
    const { page, worker } = memory();
    worker.putInterruptBack(1);
    assert.equal(worker.takeInterrupt(1), true);
    page.interrupt(2);
    worker.putInterruptBack(1);
    assert.equal(worker.takeInterrupt(2), true);
  });
});
