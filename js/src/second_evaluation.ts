import type { ToWorker } from "./protocol.js";

/** Milliseconds after which a browser has put away what it compiled. */
const UNTIL_KEPT = 3000;

/**
 * Evaluates the glue once more, in a worker that does nothing else. Chromium keeps the code that it made of a script when that
 * is evaluated for the second time within three days (`V8CodeCache` of Blink's), so the next visit would compile it again.
 */
export function evaluateAgain(spawn: () => Worker, url: string): void {
  try {
    const worker = spawn();
    // It is of no account what becomes of it.
    worker.addEventListener("error", (event) => event.preventDefault());
    worker.postMessage({ type: "glue", url } satisfies ToWorker);
    setTimeout(() => worker.terminate(), UNTIL_KEPT);
  } catch {
    // There can be no more workers.
  }
}
