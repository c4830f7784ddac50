/// <reference lib="esnext.disposable" preserve="true" />
import type { CheckpointInfo } from "./boundary.js";
import { TaipanError } from "./errors.js";
import type { Interpreter } from "./interpreter.js";

/** Python as it was at one moment, for `python.rollback`. It is let go of by `dispose`, or when nobody has it any more. */
export class Checkpoint {
  /** Bytes of memory that it has added to those of the checkpoints before it. */
  readonly bytes: number;
  readonly #interpreter: Interpreter;
  readonly #id: number;
  #isDisposed = false;

  /** @internal What `python.checkpoint` makes. */
  constructor(interpreter: Interpreter, { id, bytes }: CheckpointInfo) {
    this.bytes = bytes;
    this.#interpreter = interpreter;
    this.#id = id;
    forgotten?.register(this, { interpreter, id }, this);
  }

  /** @internal Its number in this interpreter. Throws `CHECKPOINT_GONE` if it is disposed of, or of another interpreter. */
  idIn(interpreter: Interpreter): number {
    if (this.#isDisposed) {
      throw gone("the checkpoint was disposed of");
    }
    if (interpreter !== this.#interpreter) {
      throw gone("the checkpoint is of another interpreter, or of one before a restart");
    }
    return this.#id;
  }

  /** Frees the memory that only this checkpoint needs. Python stays as it is. */
  dispose(): void {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      forgotten?.unregister(this);
      release({ interpreter: this.#interpreter, id: this.#id });
    }
  }

  /** `using before = await python.checkpoint()`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

interface Kept {
  interpreter: Interpreter;
  id: number;
}

const forgotten = typeof FinalizationRegistry === "function" ? new FinalizationRegistry(release) : undefined;

function release({ interpreter, id }: Kept): void {
  // An interpreter that has ended keeps nothing.
  interpreter.connection.request("disposeCheckpoint", [id]).catch(() => {});
}

function gone(message: string): TaipanError {
  return new TaipanError({
    code: "CHECKPOINT_GONE",
    message,
    hint: "Nothing has changed. Take another with `checkpoint()`.",
  });
}
