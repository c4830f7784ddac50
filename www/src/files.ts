import { InterruptedError, type Python } from "taipan";
import { announce } from "./announcer.js";
import { element, required } from "./dom.js";
import { acceptDrops, type Given } from "./dropped.js";
import { FileList, type Listed } from "./file_list.js";
import { howToRead } from "./reading.js";

/** Where Python starts: a file here is opened by its name alone. */
const FOLDER = "/home/pyodide/";

/** A program may write any number of files. */
const MOST_LISTED = 100;

export interface FilesOptions {
  python(): Promise<Python>;
  /** Python has got a file, or lost one. */
  onChange(): void;
}

/** The files in Python's folder: those that the learner has dropped or picked, and those that Python has written. */
export class Files {
  readonly #options: FilesOptions;
  readonly #files = new Map<string, Listed>();
  readonly #list = new FileList({
    onDownload: (path) => void this.#download(path),
    onRemove: (path) => void this.#remove(path),
  });

  constructor(options: FilesOptions) {
    this.#options = options;
    const input = required("files-input", HTMLInputElement);
    required("files-add", HTMLButtonElement).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      void this.add([...(input.files ?? [])].map((file) => ({ path: file.name, file })));
      input.value = "";
    });
    acceptDrops(
      (given) => void this.add(given),
      (error) => this.#list.complain("Nothing was added.", error),
    );
  }

  /** Gives files to Python; one of the same name is replaced. */
  async add(given: Given[]): Promise<void> {
    this.#list.clearProblems();
    for (const { path, file } of given) {
      this.#files.set(path, { size: file.size, code: howToRead(path), file, isOnItsWay: true });
    }
    this.#list.show(this.#files);
    for (const { path, file } of given) await this.#give(path, file);
  }

  /** Gives all files to a Python that has just started, and lists those that it has of the last visit. */
  async fill(python: Python): Promise<void> {
    for (const [path, { file }] of this.#files) if (file) await this.#give(path, file, python);
    await this.look(python);
    void this.#adopt(python);
  }

  /** Lists what is in Python's folder after a run. */
  async look(python: Python): Promise<void> {
    // What is given or removed meanwhile is not touched.
    const before = new Map(this.#files);
    try {
      const names = await python.fs.readdir(FOLDER);
      const shown = names.filter((name) => !name.startsWith(".")).slice(0, MOST_LISTED);
      const found = new Map<string, number>();
      for (const path of new Set([...shown, ...this.#files.keys()])) {
        const stat = await python.fs.stat(FOLDER + path).catch(() => undefined);
        if (stat?.kind === "file") found.set(path, stat.size);
      }
      for (const path of new Set([...before.keys(), ...found.keys()])) {
        const listed = this.#files.get(path);
        if (listed !== before.get(path) || listed?.isOnItsWay) continue;
        const size = found.get(path);
        if (size === undefined) this.#files.delete(path);
        else this.#files.set(path, { code: howToRead(path), ...listed, size });
      }
      this.#list.show(this.#files);
    } catch {
      // Python has been restarted meanwhile, and tells again.
    }
  }

  /** Gives Python the files that it had got after what has been undone. */
  async complete(python: Python): Promise<void> {
    for (const [path, { file }] of this.#files) {
      if (!file) continue;
      const isThere = await python.fs.stat(FOLDER + path).then(
        () => true,
        () => false,
      );
      if (!isThere) await this.#give(path, file, python);
    }
    await this.look(python);
  }

  /** Makes the files of the last visit the learner's own, so that a restart does not lose them. */
  async #adopt(python: Python): Promise<void> {
    for (const [path, listed] of this.#files) {
      if (listed.file) continue;
      const content = await python.fs.readFile(FOLDER + path).catch(() => undefined);
      if (!content || this.#files.get(path) !== listed) continue;
      const file = new File([content], path);
      this.#files.set(path, { ...listed, file, code: howToRead(path, content) });
    }
    this.#list.show(this.#files);
  }

  async #give(path: string, file: File, fresh?: Python): Promise<void> {
    try {
      const content = await read(file);
      const listed = { size: file.size, code: howToRead(path, content), file };
      const python = fresh ?? (await this.#options.python());
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      if (folder) await python.fs.mkdir(FOLDER + folder, { recursive: true });
      await python.fs.writeFile(FOLDER + path, content);
      // Meanwhile it may have been removed, or replaced.
      if (this.#files.get(path)?.file !== file) return;
      this.#files.set(path, listed);
      this.#list.show(this.#files);
      if (fresh) return;
      announce(`Python can read ${path} now`);
      this.#options.onChange();
    } catch (error) {
      // The fresh Python gets all files.
      if (error instanceof InterruptedError && error.restarted) return;
      if (this.#files.get(path)?.file === file) this.#files.delete(path);
      this.#list.show(this.#files);
      this.#list.complain(`${path} could not be added.`, error);
    }
  }

  async #remove(path: string): Promise<void> {
    this.#files.delete(path);
    this.#list.show(this.#files);
    required("files-add", HTMLButtonElement).focus();
    const python = await this.#options.python();
    await python.fs.unlink(FOLDER + path).catch(() => undefined);
    announce(`${path} is removed`);
    this.#options.onChange();
  }

  /** Has the browser keep a file as Python has it now. */
  async #download(path: string): Promise<void> {
    try {
      const python = await this.#options.python();
      const content = await python.fs.readFile(FOLDER + path);
      const href = URL.createObjectURL(new Blob([content]));
      element("a", { href, download: path.slice(path.lastIndexOf("/") + 1) }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
    } catch (error) {
      this.#list.complain(`${path} could not be downloaded.`, error);
    }
  }
}

async function read(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error("The browser cannot read it: it has changed or moved meanwhile, or is too large.");
  }
}
