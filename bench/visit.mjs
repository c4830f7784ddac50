/** Visits of a page: opened, timed, kept open until the browser has written its caches, closed. */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { openBrowser } from "../scripts/common/browser.mjs";
import { Problem } from "../scripts/common/problem.mjs";
import { tabMemory } from "./memory.mjs";
import { openUntilPublished } from "./published.mjs";

/** V8 writes what it compiled only some time after it was used. */
const LINGER = 4_000;
/** For this long a browser that has just been opened is still busy with itself, and so is one that has closed a page. */
const SETTLE = 1_500;
const TIMEOUT = 180_000;

const sumOf = (log) => log.reduce((sum, { bytes }) => sum + bytes, 0);

/** The visits of a run, in this order: with nothing kept, again in the same browser, and after it was closed and opened. */
export const STATES = ["fresh", "again", "restarted"];

/**
 * All visits of a run, of one page.
 *
 * @param {object} run
 * @param {string} run.profile an empty folder for the browser
 * @param {(state: string) => object} run.asked what `visit` needs to know of a visit in that state
 * @param {(state: string, result: Record<string, number>) => void} run.done
 */
export async function visitAll({ profile, asked, done }) {
  const sessions = [STATES.filter((state) => state !== "restarted"), ["restarted"]];
  for (const states of sessions) {
    const context = await openBrowser(profile);
    try {
      for (const state of states) done(state, await visit(context, { profile, ...asked(state) }));
    } finally {
      await context.close();
    }
  }
}

/**
 * @param {import("playwright-core").BrowserContext} context
 * @param {object} visit
 * @param {string} visit.profile the browser's folder
 * @param {string} visit.url
 * @param {Record<string, string>} visit.expected what the steps must answer, by name
 * @param {string[]} [visit.alone] the steps, where each one's time is from the end of the one before
 * @param {string} [visit.from] where the image must have come from; undefined for a start without one
 * @param {{ log: { path: string, bytes: number }[] }} visit.server
 * @returns {Promise<Record<string, number>>} milliseconds and bytes
 */
async function visit(context, { profile, url, expected, alone = [], from, server }) {
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  await sleep(SETTLE);
  const load = loadavg()[0];
  server.log.length = 0;
  await openUntilPublished(page, url);
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
  await page.close();
  const ours = timings && {
    timings,
    modulesLinked: timings.modulesLinked,
    filesInflated: timings.filesInflated,
    files: memory.loader + memory.archives,
  };
  const own = alone.map((name, n) => [name, times[name] - times[alone[n - 1] ?? "ready"]]);
  return {
    ...times,
    ...Object.fromEntries(own),
    bytes,
    ...(image > 0 && { image }),
    heap,
    ...(tab && { tab }),
    load,
    ...ours,
  };
}
