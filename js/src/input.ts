import type { PageMemory } from "./shared.js";

/**
 * Answers Python's `input()` and what else reads standard input: a line without its newline, or `null` for the end of
 * the file. `signal` aborts when the run is interrupted meanwhile: the question can then be taken off the page.
 */
export type Stdin = (prompt: string, signal: AbortSignal) => string | null | Promise<string | null>;

/** The page's side of `input()`: passes each question to the user's function and its answer to the worker. */
export class Input {
  readonly #stdin: Stdin;
  readonly #memory: PageMemory;
  #question: AbortController | undefined;

  constructor(stdin: Stdin, memory: PageMemory) {
    this.#stdin = stdin;
    this.#memory = memory;
  }

  /** Python asks. */
  async ask(prompt: string): Promise<void> {
    this.cancel();
    const question = new AbortController();
    this.#question = question;
    let answer: () => void;
    try {
      const line = await this.#stdin(prompt, question.signal);
      if (line !== null && typeof line !== "string") {
        throw new TypeError(`stdin must give a string or null, not ${typeof line}`);
      }
      answer = () => this.#memory.sendLine(line?.replace(/\r?\n$/, "") ?? null);
    } catch (error) {
      answer = () => this.#memory.sendFailure(error instanceof Error ? error.message : String(error));
    }
    // An answer to a question that has been taken back would be taken for the answer to the next.
    if (this.#question === question) {
      this.#question = undefined;
      answer();
    }
  }

  /** The question is taken back. */
  cancel(): void {
    const question = this.#question;
    this.#question = undefined;
    question?.abort();
  }
}
