import type { Progress, Stage } from "taipan";
import { bytes } from "./dom.js";

/** Stages whose `loaded` and `total` are bytes. */
const IN_BYTES: ReadonlySet<Stage> = new Set<Stage>(["fetch", "download"]);

const WORDS: Partial<Record<Stage, string>> = {
  fetch: "Getting",
  compile: "Preparing Python",
  glue: "Preparing Python",
  instantiate: "Preparing Python",
  mount: "Opening the standard library",
  interpreter: "Starting the interpreter",
  bootstrap: "Starting the interpreter",
  packages: "Looking for packages",
  resolve: "Looking for packages",
  download: "Getting",
  import: "Loading",
};

/** Adds up what is on its way: names and bytes of all downloads since the last quiet moment. */
export class ProgressSum {
  readonly #downloads = new Map<string, Progress>();
  #last: Progress | undefined;

  add(progress: Progress): void {
    this.#last = progress;
    if (IN_BYTES.has(progress.stage) && progress.name) this.#downloads.set(progress.name, progress);
  }

  /** Nothing is on its way any more. */
  clear(): void {
    this.#downloads.clear();
    this.#last = undefined;
  }

  /** Whether there is anything to show. */
  get active(): boolean {
    return this.#last !== undefined && this.#last.stage !== "ready";
  }

  /** Between 0 and 1, absent where it cannot be told. */
  get share(): number | undefined {
    const { loaded, total } = this.#bytes();
    return total > 0 && loaded < total ? loaded / total : undefined;
  }

  /** `Getting pandas and 3 more, 3.1 of 8.2 MB`. */
  get sentence(): string {
    const names = [...this.#downloads.values()].filter(unfinished).map((download) => baseName(download.name));
    const [first, ...rest] = names;
    if (first !== undefined) {
      const { loaded, total } = this.#bytes();
      const more = rest.length > 0 ? ` and ${rest.length} more` : "";
      return `Getting ${first}${more}, ${total > 0 ? `${bytes(loaded)} of ${bytes(total)}` : bytes(loaded)}`;
    }
    const word = (this.#last && WORDS[this.#last.stage]) ?? "Preparing Python";
    return this.#last?.name && word === "Loading" ? `${word} ${baseName(this.#last.name)}` : word;
  }

  #bytes(): { loaded: number; total: number } {
    let loaded = 0;
    let total = 0;
    for (const download of this.#downloads.values()) {
      loaded += download.loaded;
      total += download.total ?? 0;
    }
    return { loaded, total };
  }
}

function unfinished(download: Progress): boolean {
  return download.total === undefined || download.loaded < download.total;
}

function baseName(name: string): string {
  return name.split("/").at(-1) ?? name;
}
