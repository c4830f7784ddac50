/**
 * `<python-cell>`: Python in a page without a line of JavaScript. `import "taipan/element"` defines the element; it starts
 * nothing until a cell is run.
 */
import type { Output } from "./boundary.js";
import { isBreakdown, Session } from "./element/session.js";
import { STYLE } from "./element/style.js";
import { AbortedError, PythonError, TaipanError } from "./errors.js";
import type { LoadPythonOptions } from "./load.js";
import type { Python } from "./python.js";
import type { RunResult } from "./run.js";
import { beginning, button, element } from "./view/dom.js";
import { OutputArea } from "./view/output_area.js";

/** The events of a cell. They do not bubble. */
export interface PythonCellEventMap {
  /** A run was asked for. */
  run: CustomEvent<{ code: string }>;
  /** A piece of what a run puts out. */
  output: CustomEvent<Output>;
  /** The run failed: a `TaipanError`. */
  error: CustomEvent<TaipanError>;
}

let count = 0;
let sheet: CSSStyleSheet | undefined;

/** Server-side rendering has no elements; the class is there all the same. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * A piece of Python with a place to edit it, a button that runs it, and its output.
 *
 * The code is the text between the tags. Attributes: `session` (cells with the same name share an interpreter; all cells
 * without it do), `index-url`, `packages` (names, with spaces between them), `label`, `readonly`. An interpreter starts
 * with the `index-url` and the `packages` of the cell that is run first.
 */
export class PythonCell extends Base {
  readonly #number = ++count;
  readonly #output = new OutputArea(this.#name);
  #text: HTMLTextAreaElement | undefined;
  #cell!: HTMLElement;
  #state!: HTMLElement;
  #run!: HTMLButtonElement;
  #stop!: HTMLButtonElement;
  #stopper: AbortController | undefined;

  /** The code as it stands in the cell. */
  get code(): string {
    return this.#text?.value ?? dedent(this.textContent ?? "");
  }

  set code(code: string) {
    if (this.#text === undefined) this.textContent = code;
    else this.#text.value = code;
    this.#grow();
  }

  /** The interpreter that this cell shares, once a cell has started it. */
  get python(): Promise<Python> | undefined {
    return this.#session.python;
  }

  static readonly observedAttributes = ["label", "readonly"];

  attributeChangedCallback(): void {
    if (this.#text !== undefined) this.#describe(this.#text);
  }

  /** A cell that is taken away ends its run: others wait for their turn, and nobody could stop it. */
  disconnectedCallback(): void {
    // One that is moved is there again by then.
    queueMicrotask(() => {
      if (!this.isConnected) this.stop();
    });
  }

  connectedCallback(): void {
    if (this.#text !== undefined) return;
    // While the page is parsed, the code is not there yet.
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => this.#build(), { once: true });
    } else {
      this.#build();
    }
  }

  /** Runs the code; resolves when it has ended, with nothing if it failed or the cell runs already. */
  async run(): Promise<RunResult | undefined> {
    if (this.#stopper !== undefined) return undefined;
    this.#build();
    const stopper = new AbortController();
    this.#stopper = stopper;
    const code = this.code;
    this.#emit("run", { code });
    this.#show("Waiting…", true);
    let begun = 0;
    try {
      const result = await this.#session.run(code, this.#name, this.#options(), stopper.signal, {
        onStart: () => {
          begun = performance.now();
          this.#output.start();
          this.#show("Running…", true);
        },
        onOutput: (output) => {
          this.#output.append(output);
          this.#emit("output", output);
        },
        onProgress: ({ stage, name, loaded, total }) => {
          if (stage === "ready" || name === "" || (total !== undefined && loaded >= total)) return;
          this.#show(stage === "fetch" ? "Starting Python…" : `Loading ${name}…`, true);
        },
        ask: (prompt, signal) => this.#output.ask(prompt, signal),
      });
      this.#output.finish();
      this.#show(`Done in ${((performance.now() - begun) / 1000).toFixed(1)} s.`, false, this.#output.summary);
      return result;
    } catch (error) {
      // What is shown is of an earlier run.
      if (begun === 0 && !stopper.signal.aborted) this.#output.start();
      this.#fail(error, stopper.signal.aborted);
      return undefined;
    } finally {
      this.#stopper = undefined;
    }
  }

  /** Stops the run, or takes it out of the queue. */
  stop(): void {
    if (this.#stopper === undefined || this.#stopper.signal.aborted) return;
    this.#show("Stopping…", true);
    this.#stopper.abort();
  }

  get #name(): string {
    return `cell ${this.#number}`;
  }

  get #session(): Session {
    return Session.named(this.getAttribute("session") ?? "");
  }

  #options(): LoadPythonOptions {
    const indexURL = this.getAttribute("index-url");
    const packages = this.getAttribute("packages")
      ?.split(/[\s,]+/)
      .filter(Boolean);
    return { ...(indexURL !== null && { indexURL }), ...(packages !== undefined && { packages }) };
  }

  #build(): void {
    if (this.#text !== undefined) return;
    const text = element("textarea", {
      autocapitalize: "off",
      autocomplete: "off",
      spellcheck: "false",
      wrap: "off",
      title: "Shift+Enter runs the code",
    });
    text.value = this.code;
    text.addEventListener("input", () => this.#grow());
    text.addEventListener("keydown", (event) => this.#press(event));
    this.#text = text;
    this.#state = element("span", { class: "state", role: "status" });
    this.#stop = button("Stop", "stop", () => this.stop());
    this.#run = button("Run", "primary", () => void this.run());
    this.#cell = element(
      "div",
      { class: "cell", role: "group" },
      text,
      element("div", { class: "bar" }, this.#state, this.#stop, this.#run),
      this.#output.element,
    );
    const root = this.attachShadow({ mode: "open" });
    if (sheet === undefined) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
    root.append(this.#cell);
    this.#describe(text);
    this.#show("", false);
    this.#grow();
  }

  /** What the attributes say, which a framework may change at any time. */
  #describe(text: HTMLTextAreaElement): void {
    const label = this.getAttribute("label") ?? `Python ${this.#name}`;
    text.readOnly = this.hasAttribute("readonly");
    text.ariaLabel = `${label}: code`;
    this.#cell.ariaLabel = label;
    for (const one of [this.#stop, this.#run]) one.ariaLabel = `${one.textContent} ${label}`;
  }

  #press(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      void this.run();
      return;
    }
    const text = event.currentTarget as HTMLTextAreaElement;
    if (text.readOnly) return;
    const line = text.value.slice(0, text.selectionStart).split("\n").at(-1) ?? "";
    const indent = (/^[ \t]*/.exec(line)?.[0] ?? "") + (line.trimEnd().endsWith(":") ? "    " : "");
    // Unlike setRangeText this can be undone. Where it is refused, the browser begins a plain line.
    if (indent !== "" && document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
  }

  #grow(): void {
    if (this.#text !== undefined) this.#text.rows = Math.max(1, this.#text.value.split("\n").length);
  }

  /** Says how things are; `more` is for those who hear it and do not see the output. */
  #show(words: string, isBusy: boolean, more = ""): void {
    const hadFocus = this.shadowRoot?.activeElement === this.#stop;
    if (this.#state.textContent !== words) {
      this.#state.replaceChildren(words, element("span", { class: "unseen" }, more && ` ${more}`));
    }
    this.#cell.classList.remove("failed");
    this.#cell.ariaBusy = String(isBusy);
    this.#stop.hidden = !isBusy;
    this.#run.setAttribute("aria-disabled", String(isBusy));
    if (!isBusy && hadFocus) this.#run.focus();
  }

  #fail(error: unknown, wasStopped: boolean): void {
    const isStop = wasStopped && error instanceof AbortedError;
    const headline = beginning(error instanceof Error ? error.message : String(error));
    const hint = this.#hint(error);
    const box = element("div", { class: "problem" }, element("p", { class: "headline" }, headline));
    if (hint !== undefined) box.append(element("p", {}, hint));
    if (error instanceof PythonError) {
      const traceback = element("pre", { tabindex: "0", role: "region", "aria-label": "Traceback" }, error.traceback);
      box.append(element("details", {}, element("summary", {}, "Traceback"), traceback));
    }
    this.#output.finish(isStop ? undefined : box);
    const isFresh = isStop && error.restarted;
    const stopped = isFresh ? "Stopped. Python was restarted: run the earlier cells again." : "Stopped.";
    this.#show(isStop ? stopped : "Did not finish.", false, isStop ? "" : headline);
    this.#cell.classList.toggle("failed", !isStop);
    if (!isStop) this.#emit("error", error);
  }

  /** What the reader of the page can do about an error. */
  #hint(error: unknown): string | undefined {
    if (this.#session.python !== undefined && isBreakdown(error)) {
      return "The next run starts Python again. What earlier cells have defined is gone: run them again.";
    }
    return error instanceof TaipanError && !(error instanceof PythonError) ? error.hint : undefined;
  }

  #emit(type: keyof PythonCellEventMap, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Code without the empty lines around it, and without the indentation that the page's own HTML gives it. */
function dedent(text: string): string {
  const lines = text
    .replace(/^(?:[ \t]*\n)+/, "")
    .trimEnd()
    .split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common)).join("\n");
}

globalThis.customElements?.define("python-cell", PythonCell);

declare global {
  interface HTMLElementTagNameMap {
    "python-cell": PythonCell;
  }
}
