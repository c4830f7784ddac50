import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { appendOutput, OutputQueue } from "../../.cache/js/output.js";

const stdout = (text) => ({ type: "stdout", text });
const stderr = (text) => ({ type: "stderr", text });
const display = (text) => ({ type: "display", data: { "text/plain": text }, metadata: {} });

describe("a list of outputs", () => {
  it("joins neighbouring text of one stream, and nothing else", () => {
    const outputs = [];
    const pieces = [stdout("a"), stdout("b"), stderr("c"), stdout("d"), display("1"), display("2"), stdout("e")];
    for (const output of pieces) appendOutput(outputs, output);
    assert.deepEqual(outputs, [stdout("ab"), stderr("c"), stdout("d"), display("1"), display("2"), stdout("e")]);
  });

  it("leaves the pieces as they were", () => {
    const piece = stdout("a");
    const outputs = [];
    appendOutput(outputs, piece);
    appendOutput(outputs, stdout("b"));
    assert.deepEqual(piece, stdout("a"));
  });
});

describe("the queue of outputs", () => {
  let posts;
  let now;
  let queue;
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    posts = [];
    now = 1000;
    queue = new OutputQueue(
      (run, outputs) => posts.push([run, outputs]),
      () => now,
    );
  });
  afterEach(() => mock.timers.reset());

  const burst = (count) => {
    for (let i = 0; i < count; i += 1) queue.push(1, stdout(`${i},`));
  };

  it("posts each of a few outputs at once", () => {
    queue.push(1, stdout("a"));
    queue.push(1, stdout("b"));
    assert.deepEqual(posts, [
      [1, [stdout("a")]],
      [1, [stdout("b")]],
    ]);
  });

  it("collects what waits in the engine when it posts, between what came before and after", () => {
    const waiting = [];
    queue.collect = () => {
      for (const output of waiting.splice(0)) queue.push(1, output);
    };
    const write = (text) => {
      if (waiting.push(stdout(text)) === 1) queue.notice();
    };
    write("a");
    assert.deepEqual(posts, [[1, [stdout("a")]]]);
    burst(60);
    const before = posts.length;
    write("b");
    write("c");
    queue.poll();
    assert.equal(posts.length, before);
    now += 16;
    queue.poll();
    assert.deepEqual(posts.at(-1)[1].at(-1).text.slice(-4), "9,bc");
    write("d");
    mock.timers.tick(16);
    assert.deepEqual(posts.at(-1), [1, [stdout("d")]]);
  });

  it("posts what it has when the engine has broken down", () => {
    burst(60);
    queue.collect = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    queue.flush();
    assert.equal(posts.at(-1)[1][0].text.endsWith("59,"), true);
  });

  it("collects what comes after fifty within 16 ms, loses nothing and keeps the order", () => {
    burst(1000);
    assert.equal(posts.length, 50);
    queue.flush();
    assert.equal(posts.length, 51);
    const text = posts.flatMap(([, outputs]) => outputs.map((output) => output.text)).join("");
    assert.equal(text, Array.from({ length: 1000 }, (_, i) => `${i},`).join(""));
  });

  it("posts what waits when it is polled 16 ms later, not before", () => {
    burst(60);
    queue.poll();
    assert.equal(posts.length, 50);
    now += 16;
    queue.poll();
    assert.equal(posts.length, 51);
  });

  it("posts what waits by itself when nobody computes", () => {
    burst(60);
    mock.timers.tick(16);
    assert.equal(posts.length, 51);
    mock.timers.tick(1000);
    assert.equal(posts.length, 51);
  });

  it("takes outputs one by one again when the burst is over", () => {
    burst(60);
    now += 16;
    queue.push(1, stdout("x"));
    queue.push(1, stdout("y"));
    assert.deepEqual(posts.at(-1), [1, [stdout("y")]]);
    assert.match(posts.at(-2)[1][0].text, /59,x$/);
  });

  it("does not mix two runs", () => {
    burst(60);
    queue.push(2, stdout("two"));
    queue.flush();
    assert.deepEqual(
      posts.slice(50).map(([run]) => run),
      [1, 2],
    );
    assert.deepEqual(posts.at(-1), [2, [stdout("two")]]);
  });
});
