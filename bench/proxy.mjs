/**
 * A line of a given rate and delay in front of a server.
 *
 * The line is between sockets and not in the browser. What Chromium offers (the DevTools protocol's
 * `Network.emulateNetworkConditions`) does reach the workers of a page, but is not exact: with 20 Mbit/s and 40 ms one request
 * of 1 MB came at 1.7 to 1.9 MB/s, where 2.27 is right and came here. Here all that a browser opens, for pages, workers,
 * module scripts and synchronous requests, is in one queue, as with a visitor, and every browser has the same line.
 *
 * A new connection costs a round trip, a request another one; bytes towards the browser share the rate, those of requests
 * have no limit. There is no TLS, no slow start and no loss, so that a real line of this rate is somewhat slower.
 */
import { connect, createServer } from "node:net";
import { pipeline, Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Line } from "./line.mjs";

const HOST = "127.0.0.1";
/** Connections take turns after so many bytes. */
const TURN = 16 * 1024;
/** A connection queues its next bytes so many milliseconds early: a timer that is late must not leave the line idle. */
const AHEAD = 25;

const now = () => performance.now();
const until = (time) => sleep(Math.max(0, time - now()));

/** Passes bytes on when they have come over `line`. */
function over(line) {
  let delivered = Promise.resolve();
  return new Transform({
    async transform(chunk, _, next) {
      for (let start = 0; start < chunk.length; start += TURN) {
        const bytes = chunk.subarray(start, start + TURN);
        const { sent, arrives } = line.take(now(), bytes.length);
        delivered = delivered.then(() => until(arrives)).then(() => this.destroyed || this.push(bytes));
        await until(sent - AHEAD);
      }
      next();
    },
    flush(done) {
      delivered.then(() => done());
    },
  });
}

/**
 * @param {{ megabits: number, roundTrip: number }} line Mbit/s and milliseconds
 * @param {number} port of a server on this machine
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startProxy({ megabits, roundTrip }, port) {
  const down = new Line({ bytesPerSecond: (megabits * 1e6) / 8, roundTrip });
  const open = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (visitor) => {
    const site = connect({ port, host: HOST, allowHalfOpen: true, noDelay: true });
    const up = new Line({ bytesPerSecond: Number.POSITIVE_INFINITY, roundTrip, from: now() + roundTrip });
    for (const socket of [visitor, site]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    // A connection that one side drops is dropped on the other; which of them it was is the visit's business.
    pipeline(visitor, over(up), site, () => {});
    pipeline(site, over(down), visitor, () => {});
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, HOST, resolve);
  });
  return {
    url: `http://localhost:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        for (const socket of open) socket.destroy();
      }),
  };
}
