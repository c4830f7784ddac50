import { button, bytes, element, required } from "./dom.js";

/** A file in the list. */
export interface Listed {
  size: number;
  /** How it is read. */
  code: string;
  /** What the learner has given: a fresh Python gets it again. */
  file?: File;
  /** Python does not have it yet: it starts, or runs something. */
  isOnItsWay?: boolean;
}

export interface FileListOptions {
  onDownload(path: string): void;
  onRemove(path: string): void;
}

/** What the page shows of the files in Python's folder. */
export class FileList {
  readonly #options: FileListOptions;
  readonly #list = required("files-list", HTMLUListElement);
  readonly #problem = required("files-problem", HTMLParagraphElement);

  constructor(options: FileListOptions) {
    this.#options = options;
  }

  /** Shows these files, by path. */
  show(files: ReadonlyMap<string, Listed>): void {
    const label = document.activeElement?.closest(".file button")?.getAttribute("aria-label");
    this.#list.replaceChildren(...[...files].map(([path, listed]) => this.#item(path, listed)));
    if (label == null) return;
    // Who is on a button of a file stays there.
    [...this.#list.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === label)?.focus();
  }

  complain(what: string, error: unknown): void {
    this.#problem.append(`${what} ${error instanceof Error ? error.message : String(error)} `);
  }

  clearProblems(): void {
    this.#problem.textContent = "";
  }

  #item(path: string, { size, code, isOnItsWay = false }: Listed): HTMLLIElement {
    const action = (words: string, act: () => void) => {
      const made = button(words, "quiet", act);
      made.setAttribute("aria-label", `${words} ${path}`);
      return made;
    };
    const state = isOnItsWay
      ? element("span", { class: "files-hint" }, "Python gets it when it is free")
      : element("code", {}, code);
    const actions = element(
      "span",
      { class: "file-actions" },
      action("Remove", () => this.#options.onRemove(path)),
    );
    if (!isOnItsWay) actions.prepend(action("Download", () => this.#options.onDownload(path)));
    const about = element("span", { class: "file-about" }, element("strong", {}, path), ` ${bytes(size)}`);
    return element("li", { class: "file" }, about, state, actions);
  }
}
