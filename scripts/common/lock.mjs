/** One at a time, over processes: a folder that exists while its owner works. */
import { mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const HEARTBEAT = 5_000;
/** An owner that has not touched its lock for so long is gone: killed, or on a machine that was switched off. */
const STALE = 60_000;

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

async function isStale(folder) {
  const age = await stat(folder).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > STALE) return true;
  const owner = await readFile(join(folder, "owner"), "utf8").catch(() => "");
  const [pid, host] = owner.split("\n");
  return host === hostname() && !isAlive(Number(pid));
}

/** Removes a stale lock. The breaker makes sure that nobody removes the lock of the one who came after. */
async function breakStale(folder) {
  const breaker = `${folder}.break`;
  try {
    await mkdir(breaker);
  } catch {
    const { mtimeMs } = await stat(breaker).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE) await rmdir(breaker).catch(() => {});
    return;
  }
  try {
    if (await isStale(folder)) await rm(folder, { recursive: true, force: true });
  } finally {
    await rmdir(breaker).catch(() => {});
  }
}

/**
 * Runs `body` while no other process runs a body under the same lock.
 *
 * @template T
 * @param {string} folder where the lock is
 * @param {() => Promise<T>} body
 * @param {(owner: string) => void} [onWait] called once when another process has it
 * @returns {Promise<T>}
 */
export async function withLock(folder, body, onWait) {
  await mkdir(join(folder, ".."), { recursive: true });
  for (let told = false; ; ) {
    try {
      await mkdir(folder);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (await isStale(folder)) {
      await breakStale(folder);
      continue;
    }
    if (!told) {
      const owner = await readFile(join(folder, "owner"), "utf8").catch(() => "");
      onWait?.(owner.split("\n")[0] || "unknown");
      told = true;
    }
    await sleep(250);
  }
  const beat = setInterval(() => utimes(folder, new Date(), new Date()).catch(() => {}), HEARTBEAT);
  beat.unref();
  try {
    await writeFile(join(folder, "owner"), `${process.pid}\n${hostname()}\n`);
    return await body();
  } finally {
    clearInterval(beat);
    await rm(folder, { recursive: true, force: true });
  }
}
