import type { Progress, Stage } from "taipan";
import { bytes } from "./dom.js";

/** Stages whose `loaded` and `total` are bytes. */
const IN_BYTES: ReadonlySet<Stage> = new Set<Stage>(["fetch", "download"]);

const WORDS: Partial<Record<Stage, string>> = {
  fetch: "Preparing Python",
  compile: "Preparing Python",
  glue: "Preparing Python",
  instantiate: "Preparing Python",
  mount: "Opening the standard library",
  interpreter: "Starting the interpreter",
  bootstrap: "Starting the interpreter",
  packages: "Looking for packages",
  resolve: "Looking for packages",
  import: "Loading",
};

/** Adds up what is on its way: names and bytes of all downloads since the last quiet moment. */
export class ProgressSum {
  readonly #downloads = new Map<string, Progress>();
  #last: Progress | undefined;
  #overall: NonNullable<Progress["overall"]> = { loaded: 0, total: 0 };
  /** What `#overall` was at the last quiet moment. */
  #base = 0;

  add(progress: Progress): void {
    this.#last = progress;
    this.#overall = progress.overall ?? this.#overall;
    // After a restart the sum begins anew.
    this.#base = Math.min(this.#base, this.#overall.loaded);
    if (IN_BYTES.has(progress.stage) && progress.name) this.#downloads.set(progress.name, progress);
  }

  /** Nothing is on its way any more. */
  clear(): void {
    this.#downloads.clear();
    this.#last = undefined;
    this.#base = this.#overall.loaded;
  }

  /** Whether there is anything to show. When all packages have come, what remains is the run itself. */
  get active(): boolean {
    if (this.#last === undefined || this.#last.stage === "ready") return false;
    return this.#last.stage !== "download" || this.#unfinished.length > 0;
  }

  /** Between 0 and 1, absent where it cannot be told. */
  get share(): number | undefined {
    const { loaded, total } = this.#bytes();
    return total > 0 && loaded < total ? loaded / total : undefined;
  }

  /** `Getting pandas and 3 more, 3.1 of 8.2 MB`. */
  get sentence(): string {
    const names = this.#unfinished.map((download) => baseName(download.name));
    const [first, ...rest] = names;
    if (first !== undefined) {
      const { loaded, total } = this.#bytes();
      const more = rest.length > 0 ? ` and ${rest.length} more` : "";
      return `Getting ${first}${more}, ${total > 0 ? `${bytes(loaded)} of ${bytes(total)}` : bytes(loaded)}`;
    }
    const word = (this.#last && WORDS[this.#last.stage]) ?? "Preparing Python";
    return this.#last?.name && word === "Loading" ? `${word} ${baseName(this.#last.name)}` : word;
  }

  get #unfinished(): Progress[] {
    return [...this.#downloads.values()].filter(({ loaded, total }) => total === undefined || loaded < total);
  }

  /** `total` is 0 while it is not known. */
  #bytes(): { loaded: number; total: number } {
    const { loaded, total = this.#base } = this.#overall;
    return { loaded: loaded - this.#base, total: total - this.#base };
  }
}

function baseName(name: string): string {
  return name.split("/").at(-1) ?? name;
}
