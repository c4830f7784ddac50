import { announce } from "./announcer.js";
import { Cell } from "./cell.js";
import type { Job, Session } from "./session.js";
import type { Storage } from "./storage.js";

/** What a lesson needs from the page. */
export interface LessonOptions {
  /** Its `<pre data-cell="id">` become cells; `data-may-fail` lets "Run all" go on after an error. */
  root: HTMLElement;
  session: Session;
  storage: Storage;
  onRestart(): void;
}

/** The cells of the page in their order. */
export class Lesson {
  readonly cells: readonly Cell[];
  readonly #mayFail = new Set<Cell>();
  readonly #edits = new Map<string, string>();

  constructor({ root, session, storage, onRestart }: LessonOptions) {
    const places = [...root.querySelectorAll<HTMLElement>("pre[data-cell]")];
    this.cells = places.map((place, index) => {
      const id = place.dataset.cell ?? String(index);
      const original = place.textContent ?? "";
      const saved = storage.get(id);
      if (saved !== undefined) this.#edits.set(id, saved);
      const cell = new Cell({
        number: index + 1,
        original,
        text: saved ?? original,
        session,
        onChange: (text) => {
          if (text === original) this.#edits.delete(id);
          else this.#edits.set(id, text);
          storage.set(id, this.#edits.get(id));
        },
        onAdvance: () => this.#advance(index),
        onRestart,
        onUndone: (jobs) => this.#showUndone(jobs),
        cellOf: (filename) => this.cells.find((other) => other.filename === filename),
      });
      if (place.dataset.mayFail !== undefined) this.#mayFail.add(cell);
      place.replaceWith(cell.element);
      return cell;
    });
  }

  /** Whether the learner has changed any cell. */
  get edited(): boolean {
    return this.#edits.size > 0;
  }

  /** Runs the cells from the first to the last, up to the first that fails or is stopped. */
  async runAll(): Promise<void> {
    for (const cell of this.cells) {
      const ending = await cell.run();
      const goesOn = ending.type === "done" || (ending.type === "failed" && this.#mayFail.has(cell));
      if (!goesOn) return;
    }
  }

  stop(): void {
    for (const cell of this.cells) cell.stop();
  }

  /** Python has been restarted. */
  outdate(): void {
    for (const cell of this.cells) cell.outdate();
  }

  #showUndone(jobs: Job[]): void {
    const undone = this.cells.filter((cell) => cell.shows(jobs));
    for (const cell of undone) cell.showUndone();
    const [first, ...later] = jobs.flatMap((job) => undone.filter((cell) => cell.filename === job.filename));
    const numbers = [...new Set(later)].filter((cell) => cell !== first).map((cell) => cell.number);
    const also = numbers.length > 0 ? ` So is what ran after it: cell ${numbers.join(", ")}.` : "";
    announce(`Cell ${first?.number} is undone. Python is as it was before it ran.${also}`);
  }

  /** Puts the lesson's own text back into every cell and takes the outputs away. */
  reset(): void {
    for (const cell of this.cells) {
      cell.reset();
      cell.clear();
    }
  }

  set tabIndents(on: boolean) {
    for (const cell of this.cells) cell.editor.tabIndents = on;
  }

  #advance(from: number): void {
    const next = this.cells[from + 1];
    if (!next) return;
    next.editor.focus();
    next.element.scrollIntoView({ block: "nearest" });
  }
}
