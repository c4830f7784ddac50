/** What pages start from that is made beforehand, in a browser: Taipan's images, Pyodide's snapshot of its core. */
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bake } from "../cli/bake.mjs";
import { writeFiles } from "../cli/compress.mjs";
import { sha256 } from "../cli/distribution.mjs";
import { progressOn } from "../cli/output.mjs";
import { distributionFolder, localCache, root } from "../scripts/common/paths.mjs";
import { chromiumPath } from "../scripts/setup/chromium.mjs";
import { errand } from "./errand.mjs";
import { CHOICES } from "./pages/choices.js";
import { IMAGES, imageOf, SNAPSHOT, VERSION } from "./pages.mjs";

const PLACE = join(localCache, "bench-images");

/** The hash of what they are made of: our package, the pages that make them, the distribution. */
async function inputs() {
  const hash = createHash("sha256");
  for (const folder of ["dist", "dist/wasm", "bench/pages"].map((name) => join(root, name))) {
    const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    for (const { name } of files) hash.update(name).update(await readFile(join(folder, name)));
  }
  return hash.update(await readFile(join(distributionFolder(VERSION), "pyodide-lock.json"))).digest("hex");
}

/** The folder to serve them from. Those of other builds go. */
export async function imageFolder() {
  const name = (await inputs()).slice(0, 16);
  const folder = join(PLACE, name);
  await mkdir(folder, { recursive: true });
  const others = (await readdir(PLACE)).filter((other) => other !== name);
  for (const other of others) await rm(join(PLACE, other), { recursive: true, force: true });
  return folder;
}

/** The file that a page offers for download when its work is done. */
const download = (url) =>
  errand(url, async (_, page) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("a")]);
    return readFile(await file.path());
  });

/**
 * Makes those that the loaders start from, unless this build has made them before, with compressed variants beside them.
 *
 * @returns {Promise<string[]>} their paths on the server
 */
export async function makeImages({ url, folder, steps, loaders }) {
  const wanted = [];
  if (loaders.includes("taipan-baked")) {
    wanted.push(imageOf(steps));
    await bakeImage(join(folder, dirname(imageOf(steps))), CHOICES[steps]);
  }
  if (loaders.includes("stock-snapshot")) {
    wanted.push(SNAPSHOT);
    const path = join(folder, SNAPSHOT);
    const data = (await readFile(path).catch(() => undefined)) ?? (await download(`${url}/bench/snapshot.html`));
    await writeFiles([{ path, data, sha256: sha256(data) }], "fast", () => {});
  }
  return wanted.map((name) => IMAGES + name);
}

/** As `taipan bake` does it for a site whose owner knows what its pages do first. */
async function bakeImage(out, { baked, steps }) {
  const isThere = await access(join(out, "python.image")).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await bake({
    out,
    packages: [],
    program: { source: baked, filename: "<baked>" },
    exercise: { source: steps.map(({ code }) => code).join("\n"), filename: "<steps>" },
    distribution: distributionFolder(VERSION),
    browser: await chromiumPath(),
    compress: "fast",
    progress: progressOn({ write: () => true }),
  });
}
