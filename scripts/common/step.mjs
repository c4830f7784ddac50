/** A step of the set-up: skipped when done, says what it does and how long that may take. */
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { cache } from "./paths.mjs";

/** Milliseconds the way people say them. */
export function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Bytes the way people say them. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * Does what is not done yet, one process at a time.
 *
 * @param {object} step
 * @param {string} step.name what there is when it is done
 * @param {string} step.doing what is done about it, and how long it may take
 * @param {string} step.lock name of the lock
 * @param {() => Promise<boolean>} step.isDone looks at contents and versions, not at the mere presence of a folder
 * @param {() => Promise<void>} step.work
 * @param {string} [step.lockFolder] default: the locks of the cache
 */
export async function step({ name, doing, lock, isDone, work, lockFolder = join(cache, "locks") }) {
  if (await isDone()) {
    console.log(`✓ ${name}`);
    return;
  }
  const waiting = (pid) => console.log(`… ${name}: waiting for another run of the set-up (process ${pid})`);
  await withLock(
    join(lockFolder, `${lock}.lock`),
    async () => {
      // The one we waited for may have done it.
      if (await isDone()) {
        console.log(`✓ ${name}`);
        return;
      }
      console.log(`→ ${name}: ${doing}`);
      const start = performance.now();
      await work();
      console.log(`✓ ${name} (${duration(performance.now() - start)})`);
    },
    waiting,
  );
}
