import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Connection } from "../../.cache/js/connection.js";
import { FatalError, isTaipanError, PythonError, TaipanError } from "../../.cache/js/errors.js";

/** The page's view of a worker, with the worker's side played by the test. */
class FakeWorker extends EventTarget {
  sent = [];
  transfers = [];
  terminated = false;
  postMessage(message, transfer) {
    this.sent.push(structuredClone(message, { transfer }));
    this.transfers.push(transfer);
  }
  terminate() {
    this.terminated = true;
  }
  say(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  fail(message) {
    this.dispatchEvent(Object.assign(new Event("error"), message === undefined ? {} : { message }));
  }
}

function connect() {
  const worker = new FakeWorker();
  const events = [];
  return {
    worker,
    events,
    connection: new Connection(
      () => worker,
      (event) => events.push(event),
    ),
  };
}

const code = (expected) => (error) => isTaipanError(error, expected);

describe("a connection", () => {
  it("pairs answers with requests, in whichever order they come", async () => {
    const { worker, connection } = connect();
    const first = connection.request("readdir", ["/a"]);
    const second = connection.request("readdir", ["/b"]);
    assert.deepEqual(worker.sent, [
      { type: "request", id: 1, method: "readdir", args: ["/a"] },
      { type: "request", id: 2, method: "readdir", args: ["/b"] },
    ]);
    worker.say({ type: "result", id: 2, value: ["b"] });
    worker.say({ type: "result", id: 1, value: ["a"] });
    assert.deepEqual(await Promise.all([first, second]), [["a"], ["b"]]);
  });

  it("passes events on in order", () => {
    const { worker, events } = connect();
    const said = [1, 2, 3].map((run) => ({ type: "outputs", run, outputs: [] }));
    for (const event of said) worker.say(event);
    assert.deepEqual(events, said);
  });

  it("revives the error of a failed request and leaves the others alone", async () => {
    const { worker, connection } = connect();
    const failing = connection.request("globalsGet", ["x"]);
    const other = connection.request("memory", []);
    worker.say({ type: "failure", id: 1, error: { code: "PYTHON", message: "KeyError: 'x'", type: "KeyError" } });
    await assert.rejects(failing, (error) => error instanceof PythonError && error.type === "KeyError");
    worker.say({ type: "result", id: 2, value: 7 });
    assert.equal(await other, 7);
  });

  it("rejects everything with WORKER when the worker's script does not load", async () => {
    const { worker, connection } = connect();
    const requests = [connection.request("memory", []), connection.request("loadedPackages", [])];
    worker.fail();
    for (const request of requests) await assert.rejects(request, code("WORKER"));
    await assert.rejects(connection.request("memory", []), code("WORKER"));
    assert.equal(worker.terminated, true);
    assert.equal(worker.sent.length, 2);
  });

  it("rejects everything with WORKER when the worker throws or says what cannot be read", async () => {
    const thrown = connect();
    const first = thrown.connection.request("memory", []);
    thrown.worker.fail("boom");
    await assert.rejects(first, (error) => code("WORKER")(error) && error.message.includes("boom"));

    const garbled = connect();
    const second = garbled.connection.request("memory", []);
    garbled.worker.dispatchEvent(new Event("messageerror"));
    await assert.rejects(second, code("WORKER"));
  });

  it("closes when a request ends FATAL: the others reject too", async () => {
    const { worker, connection } = connect();
    const failing = connection.request("memory", []);
    const other = connection.request("loadedPackages", []);
    worker.say({ type: "failure", id: 1, error: { code: "FATAL", message: "crashed", hint: "restart" } });
    for (const request of [failing, other, connection.request("memory", [])]) {
      await assert.rejects(request, (error) => error instanceof FatalError && error.hint === "restart");
    }
    assert.equal(worker.terminated, true);
  });

  it("closes when the engine dies while nothing is asked of it", async () => {
    const { worker, events, connection } = connect();
    worker.say({ type: "fatal", error: { code: "FATAL", message: "crashed" } });
    await assert.rejects(connection.request("memory", []), FatalError);
    assert.deepEqual(events, []);
  });

  it("keeps its first reason to close, and hears nothing afterwards", async () => {
    const { worker, events, connection } = connect();
    const pending = connection.request("memory", []);
    connection.close(new TaipanError({ code: "DISPOSED", message: "gone" }));
    connection.close(new TaipanError({ code: "WORKER", message: "late" }));
    worker.say({ type: "result", id: 1, value: 1 });
    worker.say({ type: "outputs", run: 1, outputs: [] });
    await assert.rejects(pending, code("DISPOSED"));
    assert.equal(connection.closed.code, "DISPOSED");
    assert.deepEqual(events, []);
  });

  it("gives an aborted request up at once and tells the worker; its late answer is nobody's", async () => {
    const { worker, connection } = connect();
    const controller = new AbortController();
    const pending = connection.request("loadPackage", [["numpy"]], { signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await assert.rejects(pending, (error) => code("ABORTED")(error) && error.cause.message === "changed my mind");
    assert.deepEqual(worker.sent.at(-1), { type: "abort", id: 1 });
    worker.say({ type: "result", id: 1, value: [] });
    await assert.rejects(connection.request("memory", [], { signal: controller.signal }), code("ABORTED"));
    assert.equal(worker.sent.length, 2);
  });

  it("does not tell the worker of an abort that comes after the answer", async () => {
    const { worker, connection } = connect();
    const controller = new AbortController();
    const pending = connection.request("memory", [], { signal: controller.signal });
    worker.say({ type: "result", id: 1, value: 1 });
    await pending;
    controller.abort();
    connection.abort(1);
    assert.equal(worker.sent.length, 1);
  });

  it("rejects what cannot be cloned as BAD_ARGUMENT and goes on", async () => {
    const { worker, connection } = connect();
    const unsendable = connection.request("globalsSet", ["f", () => 1]);
    await assert.rejects(unsendable, (error) => code("BAD_ARGUMENT")(error) && error.message.startsWith("value "));
    const next = connection.request("memory", []);
    worker.say({ type: "result", id: worker.sent.at(-1).id, value: 1 });
    assert.equal(await next, 1);
  });

  it("is closed with WORKER from the start if no worker can be made", async () => {
    const refusals = [
      [
        () => {
          throw new DOMException("refused by policy", "SecurityError");
        },
        /refused by policy/,
      ],
      [() => undefined, /`worker` must give a Worker/],
      [async () => new FakeWorker(), /`worker` must give a Worker/],
    ];
    for (const [spawn, message] of refusals) {
      const connection = new Connection(spawn, () => {});
      await assert.rejects(
        connection.request("memory", []),
        (error) => code("WORKER")(error) && message.test(error.message),
      );
      connection.close(new TaipanError({ code: "DISPOSED", message: "gone" }));
    }
  });

  it("transfers buffers", () => {
    const { worker, connection } = connect();
    const data = new Uint8Array([1, 2, 3]);
    void connection.request("writeFile", ["/f", data], { transfer: [data.buffer] });
    assert.equal(data.byteLength, 0);
    assert.deepEqual([...worker.sent[0].args[1]], [1, 2, 3]);
  });
});
