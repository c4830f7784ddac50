import type { Output, WaitingText } from "./boundary.js";

/** Milliseconds between two posts while outputs come fast: a frame of the screen. */
const INTERVAL = 16;
/** Outputs that are posted one by one within an interval before they are collected. */
const BURST = 50;

/** Adds an output to a list; text that continues the last piece of the same stream is joined to it. */
export function appendOutput(outputs: Output[], output: Output): void {
  const last = outputs.at(-1);
  if (last !== undefined && last.type !== "display" && output.type === last.type) {
    outputs[outputs.length - 1] = { type: last.type, text: last.text + output.text };
  } else {
    outputs.push(output);
  }
}

/**
 * The worker's outputs on their way to the page, in order. Each is posted at once, so that a page sees what slow code
 * prints when it prints it; when more than 50 come within 16 ms they are posted together, every 16 ms, so that a fast
 * loop does not drown the page in messages. Text of the engine's that waits is collected when it would be posted.
 *
 * Timers do not fire while Python computes, so {@link OutputQueue.poll} has to be called from time to time.
 */
export class OutputQueue implements WaitingText {
  collect = (): void => {};
  readonly #post: (run: number, outputs: Output[]) => void;
  readonly #now: () => number;
  #run = 0;
  #waiting: Output[] = [];
  #intervalStart = Number.NEGATIVE_INFINITY;
  #postedInInterval = 0;
  #isCollecting = false;
  #hasNotice = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: (run: number, outputs: Output[]) => void, now: () => number = () => performance.now()) {
    this.#post = post;
    this.#now = now;
  }

  /** Takes an output of a run. */
  push(run: number, output: Output): void {
    if (run !== this.#run) {
      this.#postWaiting();
      this.#run = run;
    }
    appendOutput(this.#waiting, output);
    if (!this.#isCollecting) this.#postSoon();
  }

  notice(): void {
    this.#hasNotice = true;
    this.#postSoon();
  }

  /** Posts what has waited long enough. */
  poll(): void {
    if ((this.#hasNotice || this.#waiting.length > 0) && this.#now() - this.#intervalStart >= INTERVAL) {
      this.flush();
    }
  }

  /** Posts what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hasNotice = false;
    this.#isCollecting = true;
    try {
      this.collect();
    } catch {
      // The engine has broken down, which whoever ran code is told: what it has given before is still posted.
    }
    this.#isCollecting = false;
    this.#postWaiting();
  }

  #postSoon(): void {
    const now = this.#now();
    if (now - this.#intervalStart >= INTERVAL) {
      this.#intervalStart = now;
      this.#postedInInterval = 0;
    }
    if (this.#postedInInterval < BURST) {
      this.#postedInInterval += 1;
      this.flush();
    } else {
      this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
    }
  }

  #postWaiting(): void {
    if (this.#waiting.length > 0) {
      const outputs = this.#waiting;
      this.#waiting = [];
      this.#post(this.#run, outputs);
    }
  }
}
