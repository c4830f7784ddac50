import { OutputArea } from "taipan/view";
import { announce } from "./announcer.js";
import { button, element } from "./dom.js";
import { Editor } from "./editor.js";
import { type Place, type Problem, problem, problemElement } from "./problem.js";
import type { Ending, Job, Session } from "./session.js";

/** What a cell needs from the lesson around it. */
export interface CellOptions {
  /** From 1: cell 3 is called `cell 3` in the page and in tracebacks. */
  number: number;
  /** The text as the lesson has it. */
  original: string;
  /** The text as the learner has left it. */
  text: string;
  session: Session;
  onChange(text: string): void;
  onAdvance(): void;
  onRestart(): void;
  /** Runs have been undone. */
  onUndone(jobs: Job[]): void;
  /** The cell whose runs have this file name. */
  cellOf(filename: string): Cell | undefined;
}

type CellState = "idle" | "waiting" | "running" | "stopping" | "done" | "failed" | "undone";

/** Python that does not react to an interrupt after this long needs a restart. */
const STUBBORN_MS = 4000;

/** A piece of Python with an editor, buttons and its output. */
export class Cell {
  readonly element: HTMLElement;
  readonly filename: string;
  readonly editor: Editor;
  readonly #options: CellOptions;
  readonly #output: OutputArea;
  readonly #state = element("span", { class: "cell-state" });
  readonly #run: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #revert: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  /** The run whose output is shown. */
  #job: Job | undefined;
  #stopper: AbortController | undefined;

  constructor(options: CellOptions) {
    this.#options = options;
    const name = `cell ${options.number}`;
    this.filename = name;
    this.#output = new OutputArea(name);
    this.#run = button("Run", "primary run", () => void this.run());
    this.#run.setAttribute("aria-label", `Run ${name}`);
    this.#stop = button("Stop", "stop", () => this.stop());
    this.#stop.setAttribute("aria-label", `Stop ${name}`);
    this.#revert = button("Undo changes", "quiet", () => this.reset());
    this.#revert.setAttribute("aria-label", `Undo changes in ${name}`);
    this.#undo = button("Undo run", "quiet", () => void this.undo());
    this.#undo.setAttribute("aria-label", `Undo run of ${name}`);
    const frame = element("div", { class: "cell-editor" });
    this.element = element(
      "div",
      { class: "cell", role: "group", "aria-label": `Cell ${options.number}` },
      element(
        "div",
        { class: "cell-bar" },
        element("span", { class: "cell-name", "aria-hidden": "true" }, String(options.number)),
        this.#state,
        this.#revert,
        this.#undo,
        this.#stop,
        this.#run,
      ),
      frame,
      this.#output.element,
    );
    this.editor = new Editor({
      parent: frame,
      text: options.text,
      label: `Python code, cell ${options.number}`,
      onChange: (text) => {
        this.#showEdited();
        options.onChange(text);
      },
      onRun: (advance) => {
        void this.run();
        if (advance) options.onAdvance();
      },
    });
    this.#show("idle");
    this.#showEdited();
  }

  /** Runs the text; resolves to how it ended. A cell that runs already is left alone. */
  async run(): Promise<Ending> {
    if (this.#stopper) return { type: "cancelled" };
    const stopper = new AbortController();
    this.#stopper = stopper;
    this.#show("waiting");
    this.editor.mark(null);
    let begun = performance.now();
    const job: Job = {
      code: this.editor.text,
      filename: this.filename,
      signal: stopper.signal,
      onStart: () => {
        begun = performance.now();
        this.#output.start();
        this.#show("running");
      },
      onOutput: (output) => this.#output.append(output),
      onQuestion: (prompt, signal) => this.#output.ask(prompt, signal),
    };
    const ending = await this.#options.session.run(job);
    if (ending.type !== "cancelled") this.#job = job;
    this.#stopper = undefined;
    this.#end(ending, performance.now() - begun);
    return ending;
  }

  /** Takes the cell out of the queue, or interrupts it. */
  stop(): void {
    const stopper = this.#stopper;
    if (!stopper || stopper.signal.aborted) return;
    this.#show("stopping");
    stopper.abort();
    setTimeout(() => {
      if (this.#stopper !== stopper) return;
      this.#state.replaceChildren("Does not stop. ", button("Restart Python", "quiet", this.#options.onRestart));
      announce("The code does not react. Restart Python to stop it.");
    }, STUBBORN_MS);
  }

  /** Makes Python be as it was before this cell was run; what ran later is undone too. */
  async undo(): Promise<void> {
    const job = this.#job;
    if (!job || this.#stopper) return;
    try {
      const undone = await this.#options.session.undo(job);
      if (undone.length > 0) this.#options.onUndone(undone);
      else this.#showNotUndone("This run cannot be undone any more.");
    } catch (error) {
      this.#showNotUndone(`This run is not undone: ${error instanceof Error ? error.message : error}`);
    }
  }

  #showNotUndone(sentence: string): void {
    const hadFocus = document.activeElement === this.#undo;
    this.#show(this.element.dataset.state as CellState, sentence);
    if (hadFocus && this.#undo.hidden) this.#run.focus();
    announce(`Cell ${this.#options.number}: ${sentence}`);
  }

  /** Whether what the cell shows came of one of these runs. */
  shows(jobs: readonly Job[]): boolean {
    return this.#job !== undefined && jobs.includes(this.#job);
  }

  /** The run that the output came of is undone. */
  showUndone(): void {
    const hadFocus = document.activeElement === this.#undo;
    this.#job = undefined;
    this.#output.outdate("undone");
    this.editor.mark(null);
    this.#show("undone");
    if (hadFocus) this.#run.focus();
  }

  get number(): number {
    return this.#options.number;
  }

  /** Puts the lesson's text back. */
  reset(): void {
    if (this.editor.text !== this.#options.original) this.editor.text = this.#options.original;
  }

  /** Python has been restarted: what the cell shows is from before. */
  outdate(): void {
    this.#job = undefined;
    this.#output.outdate("restart");
    if (!this.#stopper) this.#show("idle");
  }

  clear(): void {
    this.#output.clear();
    this.#show("idle");
  }

  #end(ending: Ending, milliseconds: number): void {
    const name = `Cell ${this.#options.number}`;
    if (ending.type === "cancelled") {
      this.#show("idle");
      return;
    }
    if (ending.type === "done") {
      this.#output.finish();
      this.#show("done", `Done in ${(milliseconds / 1000).toFixed(1)} s`);
      announce(`${name} is done. ${this.#output.summary}`);
      return;
    }
    const shown = problem(ending.error, (filename) => this.#options.cellOf(filename) !== undefined);
    this.#output.finish(problemElement(shown, this.#links(shown)));
    this.#show(shown.stopped ? "idle" : "failed", shown.stopped ? "Stopped" : "Did not finish");
    announce(
      shown.stopped
        ? `${name} is stopped`
        : `${name} did not finish. ${shown.headline}. ${(shown.advice ?? "").replaceAll("`", "")}`,
    );
  }

  /** Marks the lines that the error went through, and makes the ways to them. */
  #links(shown: Problem): { label: string; open(): void }[] {
    if (shown.stopped) return [];
    if (shown.fatal) return [{ label: "Restart Python", open: this.#options.onRestart }];
    const own = shown.places.filter((place) => place.filename === this.filename).at(-1);
    if (own) this.editor.mark(own.line);
    const last = shown.places.at(-1);
    return [...new Set([last, own])].flatMap((place) => {
      const cell = place && this.#options.cellOf(place.filename);
      return place && cell ? [{ label: cell.#label(place, this), open: () => cell.editor.goTo(place.line) }] : [];
    });
  }

  #label(place: Place, from: Cell): string {
    const where = `Line ${place.line}${this === from ? "" : ` of ${this.filename}`}`;
    const source = place.source ?? this.editor.line(place.line) ?? "";
    return source.trim() ? `${where}: ${source.trim()}` : where;
  }

  #show(state: CellState, words = WORDS[state]): void {
    const busy = state === "waiting" || state === "running" || state === "stopping";
    const hadFocus = document.activeElement === this.#stop;
    this.element.dataset.state = state;
    this.#state.textContent = words;
    this.#stop.hidden = !busy;
    this.#undo.hidden = busy || this.#job === undefined || !this.#options.session.canUndo(this.#job);
    this.#run.setAttribute("aria-disabled", String(busy));
    if (!busy && hadFocus) this.#run.focus();
  }

  #showEdited(): void {
    this.#revert.hidden = this.editor.text === this.#options.original;
  }
}

const WORDS: Record<CellState, string> = {
  idle: "",
  waiting: "Waiting",
  running: "Running…",
  stopping: "Stopping…",
  done: "Done",
  failed: "Did not finish",
  undone: "Undone",
};
