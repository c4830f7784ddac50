import type { BootOptions } from "./boundary.js";

/** Milliseconds, as the engine's own default (`BootOptions` in `boundary.d.ts`). */
const STALL_TIMEOUT = 30_000;

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
      const answer = ask(url, options.stallTimeoutMs ?? STALL_TIMEOUT, signal);
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

/** Asks for a file, and gives up where no answer comes: a browser would have whoever asks again wait for the first answer. */
async function ask(url: string, stallTimeout: number, signal: AbortSignal | undefined): Promise<Response> {
  const controller = new AbortController();
  const giveUp = () => controller.abort(signal?.reason);
  const timer = setTimeout(giveUp, stallTimeout);
  if (signal?.aborted) {
    giveUp();
  }
  signal?.addEventListener("abort", giveUp);
  try {
    return await fetch(url, { signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}
