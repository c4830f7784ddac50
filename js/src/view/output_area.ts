import type { Output } from "../boundary.js";
import { display } from "./display.js";
import { element, plural } from "./dom.js";
import { ask } from "./question.js";
import { TextStream } from "./stream.js";

/** Chunks are gathered this long before they go to the page: fast enough to be live, slow enough not to freeze. */
const GATHER_MS = 40;
/** Streams and displays beyond this are counted, not shown. */
const SHOWN_PIECES = 200;

/**
 * What a run puts out, below the cell. The output of the run before stays until the first piece of the new one, so
 * that the page does not jump.
 */
export class OutputArea {
  readonly element: HTMLElement;
  readonly #where: string;
  #waiting: Output[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: TextStream | undefined;
  #pieces = 0;
  #unshown = 0;
  #note: HTMLElement | undefined;
  #old = false;
  #summary = "";

  /** `where` names the cell in labels: `cell 3`. */
  constructor(where: string) {
    this.#where = where;
    this.element = element("div", { class: "output" });
  }

  /** One sentence on what came, for a screen reader. */
  get summary(): string {
    return this.#summary || (this.#last?.beginning ?? "");
  }

  /** A new run begins. */
  start(): void {
    this.#flush();
    this.#old = true;
    this.#summary = "";
    this.#last = undefined;
  }

  /** Shows a piece soon, in order. */
  append(output: Output): void {
    this.#waiting.push(output);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  /** The run has ended, with `problem` if it failed. */
  finish(problem?: HTMLElement): void {
    this.#flush();
    this.#clearOld();
    if (problem) this.element.append(problem);
  }

  /** The variables behind what came are gone: by a restart, or because the run was undone. */
  outdate(why: "restart" | "undone" = "restart"): void {
    if (this.element.childElementCount > 0) {
      this.element.classList.add("outdated");
      this.element.classList.toggle("undone", why === "undone");
    }
  }

  clear(): void {
    this.start();
    this.#clearOld();
  }

  /** Asks the question of an `input()`. */
  ask(prompt: string, signal: AbortSignal): Promise<string | null> {
    this.#flush();
    this.#clearOld();
    this.#last = undefined;
    return ask({ parent: this.element, prompt, signal });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#clearOld();
    let text = "";
    waiting.forEach((output, index) => {
      if (output.type === "display") {
        this.#display(output);
        return;
      }
      text += output.text;
      if (waiting[index + 1]?.type === output.type) return;
      this.#stream(output.type, text);
      text = "";
    });
  }

  #stream(kind: "stdout" | "stderr", text: string): void {
    if (this.#last?.kind !== kind) {
      if (!this.#hasSpace()) return;
      this.#last = new TextStream(kind);
      this.element.append(this.#last.element);
    }
    this.#last.append(text);
  }

  #display(output: Extract<Output, { type: "display" }>): void {
    this.#last = undefined;
    if (!this.#hasSpace()) return;
    const shown = display(output.data, output.metadata, this.#where);
    this.#summary = shown.summary;
    this.element.append(shown.element);
  }

  #hasSpace(): boolean {
    this.#pieces += 1;
    if (this.#pieces <= SHOWN_PIECES) return true;
    this.#unshown += 1;
    if (!this.#note) {
      this.#note = element("p", { class: "stream-note" });
      this.element.append(this.#note);
    }
    this.#note.textContent = `Not shown: ${plural(this.#unshown, "more piece")} of output.`;
    return false;
  }

  #clearOld(): void {
    if (!this.#old) return;
    this.#old = false;
    this.#pieces = 0;
    this.#unshown = 0;
    this.#note = undefined;
    this.element.classList.remove("outdated", "undone");
    this.element.replaceChildren();
  }
}
