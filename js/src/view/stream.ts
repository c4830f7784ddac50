import { button, element, plural } from "./dom.js";

/** What is shown without asking for more. */
const SHOWN_LINES = 200;
export const SHOWN_CHARACTERS = 40_000;
/** What is kept for "Show all"; a program that prints for ever must not fill the memory of the tab. */
const KEPT_CHARACTERS = 20_000_000;
/** Text is shown in blocks, so that the browser lays out only those that are on the screen. */
const BLOCK_LINES = 500;
const BLOCK_CHARACTERS = 20_000;

/** What a terminal obeys instead of showing it (ECMA-48): colours, movements, titles, links. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-~])/g;
/** The beginning of one whose end comes with the next chunk. */
const UNFINISHED_ESCAPE = /\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]{0,4000}\u001b?|[ -/]*)$/;

/** Text as it streams from Python: one `<pre>`, of which a long output shows its beginning. */
export class TextStream {
  readonly element: HTMLElement;
  readonly kind: "stdout" | "stderr";
  readonly #text = element("pre", { class: "stream-text" });
  #note: HTMLElement | undefined;
  #unfinishedEscape = "";
  #block: Text | undefined;
  #blockLines = 0;
  #lineStart = 0;
  /** A carriage return came last: what follows writes over the line. */
  #returned = false;
  #shownLines = 0;
  #shownCharacters = 0;
  #hidden: string[] = [];
  #hiddenLines = 0;
  #hiddenCharacters = 0;
  #dropped = false;
  #showsAll = false;

  constructor(kind: "stdout" | "stderr") {
    this.kind = kind;
    this.element = element("div", { class: `stream stream-${kind}` }, this.#text);
    if (kind === "stderr") this.element.prepend(element("p", { class: "stream-label" }, "Warning or error text"));
  }

  /** The beginning of the text, for a sentence about it. */
  get beginning(): string {
    return (this.#text.firstChild?.textContent ?? "").slice(0, 200);
  }

  append(chunk: string): void {
    const whole = (this.#unfinishedEscape + chunk).replace(ESCAPES, "");
    this.#unfinishedEscape = UNFINISHED_ESCAPE.exec(whole)?.[0] ?? "";
    const text = lastForms(whole.slice(0, whole.length - this.#unfinishedEscape.length).replaceAll("\r\n", "\n"));
    if (this.#showsAll) {
      this.#show(text);
      return;
    }
    const fits = this.#fitting(text);
    if (fits > 0) this.#show(text.slice(0, fits));
    if (fits < text.length) this.#hide(text.slice(fits));
  }

  /** How many characters of `text` may be shown; always ends at a line's end or where a line is too long. */
  #fitting(text: string): number {
    if (this.#hiddenCharacters > 0) return 0;
    let position = 0;
    let lines = this.#shownLines;
    while (position < text.length && lines < SHOWN_LINES) {
      const end = text.indexOf("\n", position);
      const next = end < 0 ? text.length : end + 1;
      const space = SHOWN_CHARACTERS - this.#shownCharacters;
      if (next > space) return position > 0 ? position : Math.max(space, 0);
      if (end >= 0) lines += 1;
      position = next;
    }
    return position;
  }

  #show(text: string): void {
    this.#shownCharacters += text.length;
    let position = 0;
    while (position < text.length) {
      const end = text.indexOf("\n", position);
      const next = end < 0 ? text.length : end + 1;
      for (let from = position; from < next; from += BLOCK_CHARACTERS) {
        this.#showPiece(text.slice(from, Math.min(from + BLOCK_CHARACTERS, next)));
      }
      if (end >= 0) this.#endLine();
      position = next;
    }
  }

  #showPiece(piece: string): void {
    const isAtStart = !this.#block || this.#lineStart === this.#block.length;
    const isFull = this.#blockLines >= BLOCK_LINES || (this.#block?.length ?? 0) + piece.length > BLOCK_CHARACTERS;
    // A line stays in one block, so that it can be written over; unless it is longer than a block.
    const isLong = !this.#returned && !piece.startsWith("\r") && piece.length + this.#lineLength > BLOCK_CHARACTERS;
    if (!this.#block || (isFull && isAtStart) || isLong) {
      this.#block = document.createTextNode("");
      this.#blockLines = 0;
      this.#lineStart = 0;
      this.#text.append(element("span", { class: "stream-block" }, this.#block));
    }
    const parts = piece.split("\r");
    parts.forEach((part, index) => {
      if (index > 0) this.#returned = true;
      if (part === "" || !this.#block) return;
      if (this.#returned && part !== "\n") {
        this.#shownCharacters -= this.#lineLength + 1;
        this.#block.deleteData(this.#lineStart, this.#lineLength);
      }
      this.#returned = false;
      this.#block.appendData(part);
    });
  }

  /** The characters of the line that has no end yet. */
  get #lineLength(): number {
    return (this.#block?.length ?? 0) - this.#lineStart;
  }

  #endLine(): void {
    this.#shownLines += 1;
    this.#blockLines += 1;
    this.#lineStart = this.#block?.length ?? 0;
  }

  #hide(text: string): void {
    if (/^\r[^\n]/.test(text)) this.#overwriteHidden();
    if (!this.#dropped) this.#hidden.push(text.slice(0, KEPT_CHARACTERS - this.#hiddenCharacters));
    this.#hiddenCharacters += text.length;
    this.#dropped ||= this.#hiddenCharacters > KEPT_CHARACTERS;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#hiddenLines += 1;
    this.#note ??= this.#addNote();
    const message = this.#note.firstElementChild;
    if (message) {
      const inLines = this.#shownLines > 0;
      const [shown, hidden] = inLines
        ? [this.#shownLines, this.#hiddenLines]
        : [this.#shownCharacters, this.#hiddenCharacters];
      const first = plural(shown, inLines ? "line" : "character");
      message.textContent = `The first ${first} of ${(shown + hidden).toLocaleString("en")}.`;
    }
  }

  /** A progress bar is kept as it is now, not as it was a thousand times before. */
  #overwriteHidden(): void {
    while (!this.#dropped && this.#hidden.length > 0) {
      const last = this.#hidden.pop() ?? "";
      const line = last.lastIndexOf("\n") + 1;
      this.#hiddenCharacters -= last.length - line;
      if (line === 0) continue;
      this.#hidden.push(last.slice(0, line));
      return;
    }
  }

  #addNote(): HTMLElement {
    const note = element("p", { class: "stream-note" }, element("span"));
    note.append(button("Show all", "quiet", () => this.#showAll()));
    this.element.append(note);
    return note;
  }

  #showAll(): void {
    this.#showsAll = true;
    const rest = this.#hidden.join("");
    this.#hidden = [];
    this.#show(rest);
    const end = this.#dropped ? "What came after this was too much to keep." : "";
    this.#note?.replaceChildren(end);
    this.#text.classList.add("stream-all");
    this.#text.tabIndex = 0;
    this.#text.setAttribute("role", "region");
    this.#text.setAttribute("aria-label", `All ${plural(this.#shownLines, "line")}`);
    this.#text.focus();
  }
}

/** Text without what carriage returns have written over. */
function lastForms(text: string): string {
  if (!text.includes("\r")) return text;
  const lastForm = (line: string) => {
    let end = line.length;
    while (line[end - 1] === "\r") end -= 1;
    return line.slice(Math.max(0, end && line.lastIndexOf("\r", end - 1)));
  };
  return text.split("\n").map(lastForm).join("\n");
}
