import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Line } from "../../bench/line.mjs";
import { startProxy } from "../../bench/proxy.mjs";

/** 20 Mbit/s and 40 ms: 1,000 bytes take 0.4 ms. */
const usual = () => new Line({ bytesPerSecond: 2_500_000, roundTrip: 40 });

test("bytes take as long as the rate says, and half the round trip more", () => {
  const line = usual();
  assert.deepEqual(line.take(100, 2_500), { sent: 101, arrives: 121 });
});

test("an idle line saves nothing up", () => {
  const line = usual();
  line.take(0, 2_500);
  assert.deepEqual(line.take(1_000, 2_500), { sent: 1_001, arrives: 1_021 });
});

test("what is given while the line is busy waits for what was given before", () => {
  const line = usual();
  for (let n = 0; n < 5; n += 1) line.take(0, 500_000);
  assert.deepEqual(line.take(10, 2_500), { sent: 1_001, arrives: 1_021 });
});

test("six connections together have the rate of the line, each a sixth of it", () => {
  const line = usual();
  const ready = Array(6).fill(0);
  for (let turn = 0; turn < 600; turn += 1) {
    const next = ready.indexOf(Math.min(...ready));
    ready[next] = line.take(ready[next], 16_384).sent;
  }
  const [first, last] = [Math.min(...ready), Math.max(...ready)];
  assert.ok(Math.abs(last - (600 * 16_384) / 2_500) < 1e-6, `${last} ms`);
  assert.ok(last - first <= (6 * 16_384) / 2_500, `${first} to ${last} ms`);
});

test("a line without a limit only delays, from when it is there", () => {
  const line = new Line({ bytesPerSecond: Number.POSITIVE_INFINITY, roundTrip: 40, from: 50 });
  assert.deepEqual(line.take(10, 1e9), { sent: 50, arrives: 70 });
  assert.deepEqual(line.take(60, 1e9), { sent: 60, arrives: 80 });
});

const BODY = randomBytes(300_000);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
let site;
let proxy;

before(async () => {
  site = createServer((request, response) => {
    if (request.url === "/broken") return void request.socket.destroy();
    if (request.url === "/endless") {
      response.on("close", () => site.emit("cut"));
      return void response.writeHead(200).write("begun");
    }
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => response.end(request.method === "POST" ? sha256(Buffer.concat(parts)) : BODY));
  });
  await new Promise((resolve) => {
    site.listen(0, "127.0.0.1", resolve);
  });
  proxy = await startProxy({ megabits: 200, roundTrip: 4 }, site.address().port);
});

after(async () => {
  await proxy.close();
  await new Promise((resolve) => {
    site.close(resolve);
    site.closeAllConnections();
  });
});

test("what comes over the line is what was sent, both ways, by many connections at once", async () => {
  const get = async (n) => sha256(new Uint8Array(await (await fetch(`${proxy.url}/${n}`)).arrayBuffer()));
  const post = async () => (await fetch(`${proxy.url}/`, { method: "POST", body: BODY })).text();
  const expected = sha256(BODY);
  const answers = await Promise.all([...Array(12).keys()].map((n) => (n % 4 === 0 ? post() : get(n))));
  assert.deepEqual(answers, Array(12).fill(expected));
});

test("a connection that the server cuts is cut for the browser", async () => {
  await assert.rejects(fetch(`${proxy.url}/broken`), TypeError);
});

test("a connection that the browser gives up is given up at the server", async () => {
  const cut = new Promise((resolve) => {
    site.once("cut", resolve);
  });
  const control = new AbortController();
  const response = await fetch(`${proxy.url}/endless`, { signal: control.signal });
  assert.equal(response.status, 200);
  control.abort();
  await cut;
});

test("closing ends connections that are open", async () => {
  const other = await startProxy({ megabits: 1, roundTrip: 4 }, site.address().port);
  const response = await fetch(`${other.url}/slow`);
  await other.close();
  await assert.rejects(response.arrayBuffer(), TypeError);
});
