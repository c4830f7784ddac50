import type { Progress } from "taipan";
import { announce } from "./announcer.js";
import { required } from "./dom.js";
import { ProgressSum } from "./progress.js";
import type { SessionState } from "./session.js";

const WORDS: Record<SessionState, string> = {
  starting: "Python is starting",
  ready: "Python is ready",
  running: "Running",
  restarting: "Python is restarting",
  failed: "Python did not start",
};

/** Progress may come thousands of times a second; the eye needs it this often. */
const REDRAW_MS = 100;

/** The line at the top that says what Python is doing, and the bar of what is on its way. */
export class Status {
  readonly #line = required("status", HTMLParagraphElement);
  readonly #text = required("status-text", HTMLSpanElement);
  readonly #bar = required("progress", HTMLProgressElement);
  readonly #retry = required("retry", HTMLButtonElement);
  readonly #sum = new ProgressSum();
  #state: SessionState = "starting";
  #detail = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #announcedPackages = false;

  /** `detail` replaces the state's own words: which cell runs, or what went wrong. */
  show(state: SessionState, detail = ""): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#detail = detail;
    if (state === "ready" || state === "failed") this.#sum.clear();
    this.#announcedPackages = false;
    this.#retry.hidden = state !== "failed";
    this.#draw();
    if (changed && state !== "running" && state !== "ready") announce(this.#words);
  }

  progress(progress: Progress): void {
    this.#sum.add(progress);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
      this.#announcePackages();
    }, REDRAW_MS);
  }

  get #words(): string {
    return this.#detail || WORDS[this.#state];
  }

  #announcePackages(): void {
    if (this.#announcedPackages || this.#state !== "running" || this.#sum.share === undefined) return;
    this.#announcedPackages = true;
    announce(this.#sum.sentence);
  }

  #draw(): void {
    const busy = this.#state !== "ready" && this.#state !== "failed";
    const loading = busy && this.#sum.active;
    this.#line.dataset.state = this.#state;
    this.#text.textContent = loading ? this.#sum.sentence : this.#words;
    this.#line.title = this.#text.textContent;
    this.#bar.hidden = !loading;
    const share = this.#sum.share;
    if (share === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    this.#bar.setAttribute("aria-valuetext", this.#text.textContent);
  }
}
