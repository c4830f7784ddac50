import { TaipanError } from "./errors.js";
import type { Interpreter } from "./interpreter.js";

/** Milliseconds in which a page does nothing, before something is done for the next visit. */
const FIRST_WORK = 2000;

/**
 * Python's compiler, and what else is large or called all the time, at work on our own files, which every interpreter has.
 * A third of this has Chromium optimise as much as it takes.
 */
const PROGRAM = `
import _taipan, os
folder = _taipan.__path__[0]
sources = [open(f"{folder}/{name}").read() for name in os.listdir(folder) if name.endswith(".py")]
for source in sources * 50:
    compile(source, "<rehearsal>", "exec")
    compile(source, "<rehearsal>", "exec", 0x400)
    words = {}
    for word in source.split():
        words.setdefault(word.strip("()[]:,."), []).append(len(word) / 3)
    sorted(words, key=lambda word: (len(word), word))
    "".join(f"{word!r} {sum(found):.2f}" for word, found in words.items()).encode().decode()
`;

/**
 * Python, started once more and made to compute for a second, in a worker of its own. Chromium keeps the code that it made of
 * a script when that is evaluated for the second time within three days (`V8CodeCache` of Blink's), and that of a wasm module
 * when it has optimised a million bytes of it (`wasm_caching_hard_threshold` of V8's). A start from an image does not call
 * CPython that often, so that its functions would be compiled anew on each visit. What the page begins meanwhile comes first.
 */
export class Rehearsal {
  readonly #make: () => Interpreter;
  #isWanted = false;
  #runs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #interpreter: Interpreter | undefined;

  /** `make` starts an interpreter, from which the next visit learns nothing. */
  constructor(make: () => Interpreter) {
    this.#make = make;
  }

  /** Holds it when the page has been idle for a moment. */
  want(): void {
    this.#isWanted = true;
    this.#wait();
  }

  /** A run, or something else that is large, has begun. */
  begin(): void {
    this.#runs += 1;
    // What it interrupts is held after it.
    this.#isWanted ||= this.#interpreter !== undefined;
    this.#stop();
  }

  /** It has ended. */
  end(): void {
    this.#runs -= 1;
    this.#wait();
  }

  /** Gives it up. */
  close(): void {
    this.#isWanted = false;
    this.#stop();
  }

  #wait(): void {
    if (this.#isWanted && this.#runs === 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#hold(), FIRST_WORK);
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#interpreter?.close(new TaipanError({ code: "DISPOSED", message: "the rehearsal is over" }));
    this.#interpreter = undefined;
  }

  async #hold(): Promise<void> {
    this.#isWanted = false;
    const interpreter = this.#make();
    this.#interpreter = interpreter;
    try {
      await interpreter.ready;
      await interpreter.connection.request("run", [{ run: 1, code: PROGRAM, filename: "<rehearsal>" }]);
    } catch {
      // The next visit starts as this one did.
    }
    if (this.#interpreter === interpreter) {
      this.#stop();
    }
  }
}
