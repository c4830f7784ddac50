import type { BootOptions } from "./boundary.js";

/**
 * Requests for what every start needs. They are made before the engine is there to make them: its own module is fetched and
 * compiled meanwhile.
 */
export class HeadStart {
  readonly #answers = new Map<string, Promise<Response>>();

  /** `helps`: the page compiles CPython's module. */
  constructor(options: BootOptions, helps: boolean, signal?: AbortSignal) {
    const { indexURL, lockFileURL, lockFileContents, image, imageName } = options;
    // A kept image knows which module it needs, and then the browser can check that itself.
    const wasm = imageName === undefined && !helps ? [`${indexURL}pyodide.asm.wasm`] : [];
    const lockFile = lockFileContents === undefined ? [lockFileURL ?? `${indexURL}pyodide-lock.json`] : [];
    for (const url of [...(image === undefined ? [] : [image]), ...wasm, ...lockFile]) {
      const answer = fetch(url, { signal: signal ?? null });
      // Reported by the engine, which tries again.
      answer.catch(() => {});
      this.#answers.set(url, answer);
    }
  }

  /** The answer to a request that has been made. It has one body, so only who asks first gets it. */
  take(url: string): Promise<Response> | undefined {
    const answer = this.#answers.get(url);
    this.#answers.delete(url);
    return answer;
  }
}
