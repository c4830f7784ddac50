import type { Progress } from "taipan";
import { announce } from "./announcer.js";
import { required } from "./dom.js";
import type { Kept } from "./keeper.js";
import { ProgressSum } from "./progress.js";
import type { SessionState } from "./session.js";

const WORDS: Record<SessionState, string> = {
  starting: "Python is starting",
  ready: "Python is ready",
  running: "Running",
  restarting: "Python is restarting",
  failed: "Python did not start",
  broken: "Python cannot go on",
};

const KEPT: Record<Kept["type"], string> = {
  unsaved: "",
  saving: "Saving…",
  saved: "Saved",
  restored: "",
  outdated: "",
  unreachable: "",
  impossible: "Not saved",
};

/** What is said instead of "Python is ready": until something runs, or for as long as it is so. */
const READY: Partial<Record<Kept["type"], string>> = {
  restored: "Restored as last saved",
  outdated: "Ready. Your variables of last time do not fit this version of the page, so Python starts without them.",
  unreachable:
    "Your variables of last time could not be loaded. Load this page again to have them; until then nothing is saved.",
};

/** Progress may come thousands of times a second; the eye needs it this often. */
const REDRAW_MS = 100;

/** The line at the top that says what Python is doing, and the bar of what is on its way. */
export class Status {
  readonly #line = required("status", HTMLParagraphElement);
  readonly #text = required("status-text", HTMLSpanElement);
  readonly #bar = required("progress", HTMLProgressElement);
  readonly #retry = required("retry", HTMLButtonElement);
  readonly #fresh = required("fresh", HTMLButtonElement);
  readonly #keptText = required("kept", HTMLSpanElement);
  readonly #sum = new ProgressSum();
  #state: SessionState = "starting";
  #detail = "";
  #kept: Kept = { type: "unsaved" };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #announcedPackages = false;

  /** `detail` replaces the state's own words: which cell runs, or what went wrong. */
  show(state: SessionState, detail = ""): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#detail = detail;
    const isOver = state === "failed" || state === "broken";
    if (state === "ready" || isOver) this.#sum.clear();
    this.#announcedPackages = false;
    this.#retry.hidden = !isOver;
    this.#draw();
    if (changed && state !== "running" && state !== "ready") announce(this.#words);
  }

  /** Whether Python's variables are kept for the next visit. */
  kept(kept: Kept): void {
    const words = kept.type === "impossible" ? `Your variables are not saved. ${kept.reason}` : READY[kept.type];
    if (words !== undefined) announce(words);
    this.#kept = kept;
    this.#draw();
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
    return this.#detail || (this.#state === "ready" && READY[this.#kept.type]) || WORDS[this.#state];
  }

  #announcePackages(): void {
    if (this.#announcedPackages || this.#state !== "running" || this.#sum.share === undefined) return;
    this.#announcedPackages = true;
    announce(this.#sum.sentence);
  }

  #draw(): void {
    const busy = !["ready", "failed", "broken"].includes(this.#state);
    const loading = busy && this.#sum.active;
    this.#line.dataset.state = this.#state;
    this.#line.dataset.kept = this.#kept.type;
    this.#text.textContent = loading ? this.#sum.sentence : this.#words;
    this.#line.title = this.#text.textContent;
    this.#fresh.hidden = this.#state !== "ready" || !["restored", "unreachable"].includes(this.#kept.type);
    const reason = this.#kept.type === "impossible" ? `: ${this.#kept.reason}` : "";
    this.#keptText.textContent = this.#state === "ready" ? KEPT[this.#kept.type] + reason : "";
    this.#bar.hidden = !loading;
    const share = this.#sum.share;
    if (share === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    this.#bar.setAttribute("aria-valuetext", this.#text.textContent);
  }
}
