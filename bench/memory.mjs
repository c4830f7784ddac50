/** How much memory a browser's tabs use, by what Linux knows about its processes. */
import { readdir, readFile } from "node:fs/promises";

const read = (path) => readFile(path, "utf8").catch(() => "");

async function processes() {
  const ids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    ids.map(async (id) => {
      const [status, command] = await Promise.all([read(`/proc/${id}/status`), read(`/proc/${id}/cmdline`)]);
      return { id, parent: /^PPid:\s+(\d+)/m.exec(status)?.[1], command };
    }),
  );
}

/**
 * Proportional set size of the renderers of the browser that runs on `profile`, which is the tab and its workers.
 *
 * @returns {Promise<number | undefined>} bytes; undefined where this system cannot tell
 */
export async function tabMemory(profile) {
  const all = await processes();
  const family = new Set(
    all.filter(({ command }) => command.includes(`--user-data-dir=${profile}`)).map(({ id }) => id),
  );
  for (let before = -1; before !== family.size; ) {
    before = family.size;
    for (const { id, parent } of all) if (family.has(parent)) family.add(id);
  }
  let total = 0;
  for (const { id, command } of all) {
    if (!family.has(id) || !command.includes("--type=renderer")) continue;
    total += Number(/^Pss:\s+(\d+) kB/m.exec(await read(`/proc/${id}/smaps_rollup`))?.[1] ?? 0) * 1024;
  }
  return total || undefined;
}
