/**
 * Baking and restoring again and again in one page: each interpreter is restored from the image that the one before baked.
 * Neither images nor memory grow.
 *
 * `TAIPAN_SOAK` is the number of generations; 8 unless set, 100 is the long form (about six minutes).
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

const GENERATIONS = Number(process.env.TAIPAN_SOAK || 8);
/** Generations after which everything has been used once, and what is measured is what stays. */
const SETTLED = 4;
const MIB = 2 ** 20;

/** Bytes of memory that a process has to itself, with its share of what it shares (Linux). */
async function proportionalSize(pid) {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

describe("images without end", { timeout: 3_000_000 }, () => {
  let api;
  let session;
  let pid;
  before(async () => {
    api = await openApiPage();
    session = await api.page.context().newCDPSession(api.page);
    const browser = await api.page.context().browser()?.newBrowserCDPSession();
    const processes = (await browser?.send("SystemInfo.getProcessInfo"))?.processInfo ?? [];
    const sizes = await Promise.all(
      processes.filter(({ type }) => type === "renderer").map(async ({ id }) => [await proportionalSize(id), id]),
    );
    // The page's own is the largest.
    pid = sizes.sort(([a], [b]) => b - a)[0]?.[1];
  });
  after(() => api?.close());

  /** The next generation; what it measures. */
  const next = () =>
    api.evaluate(async () => {
      const python = await start({ ...(globalThis.address && { image: address }) });
      await python.run(`
import numpy, pandas
generation = globals().get("generation", 0) + 1
frame = pandas.DataFrame({"a": numpy.arange(10_000), "b": ["x"] * 10_000})
total = int(frame.groupby("b").a.sum().iloc[0])`);
      const image = await python.bake();
      if (globalThis.address) URL.revokeObjectURL(address);
      globalThis.address = URL.createObjectURL(image);
      const { value } = await python.run("[generation, total]");
      const { interpreter, loader } = await python.memory();
      const { imageRefused } = python.timings;
      python.dispose();
      return { value, image: image.size, interpreter, loader, imageRefused };
    });

  it(`${GENERATIONS} generations of them are as large as the first, and so is memory`, async (context) => {
    const rows = [];
    for (let generation = 1; generation <= GENERATIONS; generation += 1) {
      const found = await next();
      assert.equal(found.imageRefused, undefined);
      assert.deepEqual(found.value, [generation, 49_995_000]);
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      rows.push({ ...found, page: usedSize, renderer: pid ? await proportionalSize(pid) : 0 });
      if (generation % 10 === 0 || generation <= SETTLED || generation === GENERATIONS) {
        const sizes = ["image", "interpreter", "loader", "page", "renderer"];
        const text = sizes.map((name) => `${name} ${(rows.at(-1)[name] / MIB).toFixed(2)}`).join(", ");
        context.diagnostic(`generation ${generation}, MiB: ${text}`);
      }
    }
    const [settled, last] = [rows[SETTLED - 1], rows.at(-1)];
    assert.ok(last.image <= settled.image * 1.02, `image: ${settled.image}, then ${last.image}`);
    // Memory grows in steps, and whether the last of them is needed depends on when garbage is collected.
    const most = Math.max(...rows.slice(0, SETTLED).map(({ interpreter }) => interpreter));
    assert.ok(last.interpreter <= most, `interpreter: ${most}, then ${last.interpreter}`);
    assert.ok(last.loader <= settled.loader + MIB, `loader: ${settled.loader}, then ${last.loader}`);
    assert.ok(last.page <= settled.page + 2 * MIB, `page: ${settled.page}, then ${last.page}`);
  });

  it("one interpreter bakes them again and again without growing", async (context) => {
    const sizes = await api.evaluate(async (times) => {
      const python = await start({ image: address });
      const sizes = [];
      for (let time = 0; time < times; time += 1) {
        const { size } = await python.bake();
        const { interpreter, loader } = await python.memory();
        sizes.push({ size, interpreter, loader });
      }
      python.dispose();
      return sizes;
    }, GENERATIONS);
    const [settled, last] = [sizes[SETTLED - 1], sizes.at(-1)];
    const every = sizes.filter((_, time) => time < SETTLED || time % 10 === 9 || time === GENERATIONS - 1);
    for (const row of every) context.diagnostic(JSON.stringify(row));
    assert.ok(last.size <= settled.size * 1.01, `${settled.size}, then ${last.size}`);
    assert.equal(last.interpreter, settled.interpreter);
    // Our own memory cannot shrink: it grows until its free pieces fit, some twenty images long, and no further.
    assert.ok(last.loader <= settled.loader + 16 * MIB, `loader: ${settled.loader}, then ${last.loader}`);
  });
});
