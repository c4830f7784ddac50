import { isTaipanError, type Python } from "taipan";
import type { Storage } from "./storage.js";

/** What has become of Python's variables. */
export type Kept =
  | { type: "unsaved" }
  | { type: "saving" }
  | { type: "saved" }
  /** They are there again, as they were when the learner left. */
  | { type: "restored" }
  /** What was saved does not fit any more. */
  | { type: "outdated" }
  /** It is there, and could not be restored this time: something that it takes could not be loaded. */
  | { type: "unreachable" }
  /** They cannot be saved, and why. */
  | { type: "impossible"; reason: string };

export interface KeeperOptions {
  /** Under which name they are kept. */
  name: string;
  storage: Storage;
  onChange(kept: Kept): void;
}

/** The setting that says that there is something to restore. */
const SAVED = "setting:session-saved";

/** Nothing has run for this long. */
const IDLE_MS = 2500;

/** Keeps Python's variables in this browser, for when the learner comes back. */
export class Keeper {
  readonly #options: KeeperOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #python: Python | undefined;
  #isDirty = false;
  /** Whether what is saved is to stay as it is. */
  #isHeld = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    document.addEventListener("visibilitychange", () => {
      // The tab may be closed next; there is a moment left, which is often enough.
      if (document.visibilityState === "hidden" && this.#timer !== undefined) void this.#save();
    });
  }

  /** What Python is to be restored from, if there is something. */
  get image(): { name: string } | undefined {
    return this.#options.storage.get(SAVED) === undefined ? undefined : { name: this.#options.name };
  }

  /** Python has started from {@link Keeper.image}, or could not. Says whether the variables are there. */
  started(python: Python): boolean {
    if (this.image === undefined) return false;
    const { image, imageRefusedCode: code } = python.timings;
    const isRestored = image === "name";
    this.#isHeld = !isRestored && (code === "LOAD_NETWORK" || code === "LOAD_HTTP");
    if (!isRestored && !this.#isHeld) this.#options.storage.set(SAVED, undefined);
    this.#options.onChange({ type: isRestored ? "restored" : this.#isHeld ? "unreachable" : "outdated" });
    return isRestored;
  }

  /** Something runs: saving waits. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isHeld) this.#options.onChange({ type: "unsaved" });
  }

  /** Nothing runs any more, and variables may have changed. */
  touch(python: Python): void {
    this.pause();
    if (this.#isHeld) return;
    this.#python = python;
    this.#isDirty = true;
    this.#timer = setTimeout(() => void this.#save(), IDLE_MS);
  }

  /** The variables are gone, and so is what was kept of them. */
  forget(python: Python | undefined): void {
    this.#isHeld = false;
    this.pause();
    this.#isDirty = false;
    this.#options.storage.set(SAVED, undefined);
    python?.forgetImage(this.#options.name).catch(() => undefined);
  }

  async #save(): Promise<void> {
    const python = this.#python;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Where nothing outlives the page there is nothing to promise.
    if (python === undefined || !["opfs", "cache"].includes(python.features.store)) return;
    this.#isDirty = false;
    this.#options.onChange({ type: "saving" });
    try {
      await python.bake({ name: this.#options.name });
      if (this.#python !== python) return;
      this.#options.storage.set(SAVED, new Date().toISOString());
      if (!this.#isDirty) this.#options.onChange({ type: "saved" });
    } catch (error) {
      // A restart has ended it.
      if (isTaipanError(error, "INTERRUPTED") || isTaipanError(error, "DISPOSED")) return;
      this.#options.onChange({ type: "impossible", reason: error instanceof Error ? error.message : String(error) });
    }
  }
}
