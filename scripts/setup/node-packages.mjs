/** The npm packages that package-lock.json names. */
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { readJson } from "../common/file.mjs";
import { localCache, root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";

/** npm writes down what it installed; a package that is optional may rightly be missing. */
async function isInstalled() {
  const wanted = await readJson(join(root, "package-lock.json"));
  const installed = await readJson(join(root, "node_modules", ".package-lock.json"));
  if (!wanted || !installed) return false;
  return Object.entries(wanted.packages).every(
    ([path, { version, optional, peer }]) =>
      path === "" || installed.packages[path]?.version === version || ((optional || peer) && !installed.packages[path]),
  );
}

export async function nodePackages() {
  const [major] = process.versions.node.split(".");
  if (Number(major) < 20) {
    throw new Problem(`Node ${process.versions.node} is too old.`, "Install Node 20 or newer and run this again.");
  }
  await step({
    name: "npm packages",
    doing: "installing what package-lock.json names, about half a minute",
    lock: "node-packages",
    lockFolder: join(localCache, "locks"),
    isDone: isInstalled,
    work: () =>
      run("npm", ["ci", "--no-audit", "--no-fund"], {
        cwd: root,
        log: "npm-ci",
        next: "Check that the npm registry can be reached (`npm ping`), then run this again.",
      }),
  });
}
