import { InterruptedError, type Python } from "taipan";
import { announce } from "./announcer.js";
import { button, bytes, element, required } from "./dom.js";

/** Where Python starts: a file here is opened by its name alone. */
const FOLDER = "/home/pyodide/";

/** The learner's files: dropped on the page or picked, written into Python's file system, listed by name. */
export class Files {
  readonly #python: () => Promise<Python>;
  readonly #files = new Map<string, File>();
  readonly #list = required("files-list", HTMLUListElement);
  readonly #problem = required("files-problem", HTMLParagraphElement);

  constructor(python: () => Promise<Python>) {
    this.#python = python;
    const input = required("files-input", HTMLInputElement);
    required("files-add", HTMLButtonElement).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      void this.add([...(input.files ?? [])]);
      input.value = "";
    });
    this.#acceptDrops();
  }

  /** Gives files to Python; one of the same name is replaced. */
  async add(files: File[]): Promise<void> {
    for (const file of files) this.#files.set(file.name, file);
    this.#draw();
    for (const file of files) await this.#write(file);
  }

  /** Gives all files to a Python that has just started. */
  async writeAll(python: Python): Promise<void> {
    for (const file of this.#files.values()) await this.#write(file, python);
  }

  async #write(file: File, python?: Python): Promise<void> {
    try {
      const content = new Uint8Array(await file.arrayBuffer());
      await (python ?? (await this.#python())).fs.writeFile(FOLDER + file.name, content);
      announce(`Python can read ${file.name} now`);
    } catch (error) {
      // The fresh Python gets all files.
      if (error instanceof InterruptedError && error.restarted) return;
      this.#files.delete(file.name);
      this.#draw(`${file.name} could not be added. ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #remove(name: string): Promise<void> {
    this.#files.delete(name);
    this.#draw();
    required("files-add", HTMLButtonElement).focus();
    const python = await this.#python();
    await python.fs.unlink(FOLDER + name).catch(() => undefined);
    announce(`${name} is removed`);
  }

  #draw(problem = ""): void {
    const items = [...this.#files.values()].map((file) => {
      const remove = button("Remove", "quiet", () => void this.#remove(file.name));
      remove.setAttribute("aria-label", `Remove ${file.name}`);
      const about = element("span", { class: "file-about" }, element("strong", {}, file.name), ` ${bytes(file.size)}`);
      return element("li", { class: "file" }, about, element("code", {}, howToRead(file.name)), remove);
    });
    this.#list.replaceChildren(...items);
    this.#problem.textContent = problem;
  }

  #acceptDrops(): void {
    const veil = required("drop-veil", HTMLDivElement);
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    document.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      veil.hidden = false;
    });
    document.addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) veil.hidden = true;
    });
    document.addEventListener("drop", (event) => {
      veil.hidden = true;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      void this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

/** The Python expression that reads a file of this name. */
function howToRead(name: string): string {
  const quoted = JSON.stringify(name);
  if (/\.(csv|tsv)$/i.test(name)) {
    return /\.tsv$/i.test(name) ? `pd.read_csv(${quoted}, sep="\\t")` : `pd.read_csv(${quoted})`;
  }
  return /\.json$/i.test(name) ? `pd.read_json(${quoted})` : `open(${quoted})`;
}
