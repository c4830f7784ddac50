/** One visit of a page: opened, timed, kept open until the browser has written its caches, closed. */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { openBrowser } from "../scripts/common/browser.mjs";
import { Problem } from "../scripts/common/problem.mjs";
import { tabMemory } from "./memory.mjs";

/** V8 writes what it compiled only some time after it was used. */
const LINGER = 4_000;
const TIMEOUT = 180_000;

const sumOf = (log) => log.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * @param {object} visit
 * @param {string} visit.profile the browser's folder: empty for a first visit, kept for the next
 * @param {string} visit.url
 * @param {Record<string, string>} visit.expected what the steps must answer, by name
 * @param {string} [visit.from] where the image must have come from; undefined for a start without one
 * @param {{ log: { path: string, bytes: number }[] }} visit.server
 * @returns {Promise<Record<string, number>>} milliseconds and bytes
 */
export async function visit({ profile, url, expected, from, server }) {
  const load = loadavg()[0];
  const context = await openBrowser(profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(TIMEOUT);
    server.log.length = 0;
    await page.goto(url, { waitUntil: "commit" });
    await page.waitForFunction(() => globalThis.result !== undefined);
    const outcome = await Promise.race([
      page.evaluate(() => globalThis.result),
      sleep(TIMEOUT, { error: `nothing for ${TIMEOUT / 1000} s` }, { ref: false }),
    ]);
    if (outcome.error) throw new Problem(`${url} failed: ${outcome.error}`);
    const { times, answers, heap, timings, memory } = outcome.value;
    if (!isDeepStrictEqual(answers, expected)) {
      throw new Problem(`${url} answered ${JSON.stringify(answers)} instead of ${JSON.stringify(expected)}.`);
    }
    if (timings?.image !== from) {
      const why = timings.imageRefused ? `: ${timings.imageRefused}` : ".";
      throw new Problem(`${url} started from the image ${timings.image} instead of ${from}${why}`);
    }
    const bytes = sumOf(server.log);
    const image = sumOf(server.log.filter(({ path }) => /\.(image|snapshot)$/.test(path)));
    const tab = await tabMemory(profile);
    await sleep(LINGER);
    const ours = timings && {
      timings,
      modulesLinked: timings.modulesLinked,
      filesInflated: timings.filesInflated,
      files: memory.loader + memory.archives,
    };
    return { ...times, bytes, ...(image > 0 && { image }), heap, ...(tab && { tab }), load, ...ours };
  } finally {
    await context.close();
  }
}
