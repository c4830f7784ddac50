/** A Pyodide release from npm: glue, CPython's wasm module, the standard library and the lock file. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { hasContent, placeWhole, withTemporaryFolder } from "../common/file.mjs";
import { distributionFolder, downloads } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";

/** What each distribution consists of, with hashes: `scripts/distributions.json`. */
export const distributions = JSON.parse(await readFile(new URL("../distributions.json", import.meta.url), "utf8"));

/** The names of `files` that are not in `folder` with the content expected. */
export async function missing(folder, files) {
  const there = await Promise.all(
    Object.entries(files).map(([name, content]) => hasContent(join(folder, name), content)),
  );
  return Object.keys(files).filter((_, index) => !there[index]);
}

/** Moves files from `source` to `folder`, each only if it is what it should be. */
export async function placeChecked(source, folder, files, names = Object.keys(files)) {
  for (const name of names) {
    if (!(await hasContent(join(source, name), files[name]))) {
      throw new Problem(
        `${name} is not the file it should be: its SHA-256 is not the one that this repository names.`,
        "Run this again. If it stays so, something between here and the package registry changes files.",
      );
    }
    await placeWhole(join(source, name), join(folder, name));
  }
}

async function fetchRelease(version) {
  const { npm, files } = distributions[version];
  await withTemporaryFolder(join(downloads, "npm"), async (temporary) => {
    // npm checks the integrity that its registry promises; we check each file after that.
    await run("npm", ["pack", npm, "--pack-destination", temporary, "--ignore-scripts"], {
      log: `npm-pack-${version}`,
      next: "Check that the npm registry can be reached (`npm ping`), then run this again.",
    });
    const archive = (await readdir(temporary)).find((name) => name.endsWith(".tgz"));
    await run("tar", ["-xzf", archive], { cwd: temporary });
    await placeChecked(join(temporary, "package"), distributionFolder(version), files);
  });
}

export async function distribution(version) {
  const { files } = distributions[version];
  const folder = distributionFolder(version);
  await step({
    name: `CPython for the browser (Pyodide ${version})`,
    doing: `fetching ${distributions[version].npm} from npm, 6 MB, some seconds`,
    lock: `distribution-${version}`,
    isDone: async () => (await missing(folder, files)).length === 0,
    work: () => fetchRelease(version),
  });
}
