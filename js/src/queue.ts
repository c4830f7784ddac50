import { aborted } from "./common_errors.js";

/** Lets one after another go on, in the order in which they came. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();

  /** Calls `work` when all before it has settled. Whoever's `signal` aborts while it waits leaves the queue at once. */
  async add<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal?.aborted) {
      throw aborted(what, signal.reason);
    }
    const before = this.#tail;
    const { promise: ended, resolve: end } = withResolvers();
    this.#tail = before.then(() => ended);
    try {
      await this.#turn(before, what, signal);
      return await work();
    } finally {
      end();
    }
  }

  #turn(before: Promise<void>, what: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(aborted(what, signal?.reason));
      signal?.addEventListener("abort", onAbort, { once: true });
      void before.then(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
