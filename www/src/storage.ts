/**
 * What the learner has typed and chosen, in `localStorage` under one key for each lesson. Where the browser forbids
 * storage the page works all the same and forgets on reload.
 */
export class Storage {
  readonly #key: string;
  readonly #values: Map<string, string>;

  /** Reads what an earlier visit to the lesson `name` has left. */
  constructor(name: string) {
    this.#key = `taipan:${name}`;
    this.#values = new Map(Object.entries(read(this.#key)));
  }

  /** The value kept under `name`, if any. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Keeps `value` under `name`, or forgets what was there when it is `undefined`. */
  set(name: string, value: string | undefined): void {
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
    try {
      localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#values)));
    } catch {
      // Storage is full or forbidden: the text is still in the editor.
    }
  }
}

function read(key: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return {};
  }
}
