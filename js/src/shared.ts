/**
 * The memory that page and worker share, for the two things that must reach a worker whose event loop is blocked by
 * computing Python: an interrupt, and a line for `input()`.
 *
 * | offset | size | what |
 * |---|---|---|
 * | 0 | int32 | id of the run to interrupt, 0 for none. The page sets it, the worker clears it. |
 * | 4 | int32 | state of the input, see {@link InputState} |
 * | 8 | int32 | bytes of text in this part |
 * | 16 | 65,536 | text, UTF-8. A longer line comes in parts. |
 */
const INTERRUPT = 0;
const STATE = 1;
const LENGTH = 2;
const TEXT_OFFSET = 16;
const TEXT_CAPACITY = 65_536;

/**
 * `asked` is set by the worker, which then waits for it to change; the others are the page's answers: a part of a line,
 * its last part, the end of the file, a failure whose message is the text, and an interrupt.
 */
const InputState = { idle: 0, asked: 1, part: 2, last: 3, end: 4, failed: 5, interrupted: 6 } as const;
type InputState = (typeof InputState)[keyof typeof InputState];

/** A buffer of the right size. Throws where memory cannot be shared. */
export function createSharedBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(TEXT_OFFSET + TEXT_CAPACITY);
}

/** The page's side. */
export class PageMemory {
  readonly #header: Int32Array;
  readonly #text: Uint8Array;
  /** What of the line is still to be sent. */
  #rest: Uint8Array | undefined;
  /** What that line ends with. */
  #final: InputState = InputState.last;

  constructor(buffer: SharedArrayBuffer) {
    this.#header = new Int32Array(buffer, 0, TEXT_OFFSET / 4);
    this.#text = new Uint8Array(buffer, TEXT_OFFSET);
  }

  /** Asks Python to raise KeyboardInterrupt in a run; wakes it where it waits for input. */
  interrupt(run: number): void {
    // The order matters: `WorkerMemory.readLine` sets the state first and looks for the interrupt second.
    Atomics.store(this.#header, INTERRUPT, run);
    this.#answer(InputState.interrupted);
  }

  /** Answers `input()` with a line, or with the end of the file. */
  sendLine(line: string | null): void {
    this.#rest = line === null ? undefined : new TextEncoder().encode(line);
    this.#final = line === null ? InputState.end : InputState.last;
    this.sendPart();
  }

  /** Answers `input()` with an error. */
  sendFailure(message: string): void {
    this.#rest = new TextEncoder().encode(message).subarray(0, TEXT_CAPACITY);
    this.#final = InputState.failed;
    this.sendPart();
  }

  /** Sends the next part of the line. */
  sendPart(): void {
    const part = this.#rest?.subarray(0, TEXT_CAPACITY) ?? new Uint8Array();
    const rest = this.#rest?.subarray(part.length);
    this.#rest = rest;
    this.#text.set(part);
    Atomics.store(this.#header, LENGTH, part.length);
    this.#answer(rest !== undefined && rest.length > 0 ? InputState.part : this.#final);
  }

  #answer(state: InputState): void {
    if (Atomics.compareExchange(this.#header, STATE, InputState.asked, state) === InputState.asked) {
      Atomics.notify(this.#header, STATE);
    }
  }
}

/** The worker's side. */
export class WorkerMemory {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #text: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#header = new Int32Array(buffer, 0, TEXT_OFFSET / 4);
    this.#text = new Uint8Array(buffer, TEXT_OFFSET);
  }

  /** Whether the page asked to interrupt this run. Asking clears it, as does asking for any other run. */
  takeInterrupt(run: number): boolean {
    const wanted = Atomics.load(this.#header, INTERRUPT);
    if (wanted === 0) {
      return false;
    }
    Atomics.compareExchange(this.#header, INTERRUPT, wanted, 0);
    return wanted === run;
  }

  /** Undoes {@link takeInterrupt}. */
  putInterruptBack(run: number): void {
    Atomics.compareExchange(this.#header, INTERRUPT, 0, run);
  }

  /**
   * Blocks until the page has answered. `ask` sends the question, `askOn` asks for the next part of a long line.
   * `null` is the end of the file, `undefined` an interrupt (which stays to be taken).
   */
  readLine(run: number, ask: () => void, askOn: () => void): string | null | undefined {
    const decoder = new TextDecoder();
    let line = "";
    for (let send = ask; ; send = askOn) {
      Atomics.store(this.#header, STATE, InputState.asked);
      if (run !== 0 && Atomics.load(this.#header, INTERRUPT) === run) {
        Atomics.store(this.#header, STATE, InputState.idle);
        return undefined;
      }
      send();
      Atomics.wait(this.#header, STATE, InputState.asked);
      const state = Atomics.exchange(this.#header, STATE, InputState.idle);
      // TextDecoder refuses shared memory, so the part is copied out of it.
      const part = this.#text.slice(0, Atomics.load(this.#header, LENGTH));
      switch (state) {
        case InputState.part:
          line += decoder.decode(part, { stream: true });
          break;
        case InputState.last:
          return line + decoder.decode(part);
        case InputState.end:
          return null;
        case InputState.failed:
          throw new Error(decoder.decode(part));
        default:
          return undefined;
      }
    }
  }
}
