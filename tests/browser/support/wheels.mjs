/** Wheels of Pyodide 314 that come from an index: tests name them by their addresses beside the distribution. */
import { readdir } from "node:fs/promises";
import { distributionFolder } from "../../../scripts/common/paths.mjs";

const FILES = (await readdir(distributionFolder("314.0.7"))).filter((name) => name.endsWith(".whl"));

/** The path of a package's wheel on a page of `openApiPage({ version: "314.0.7" })`. */
export function wheelOf(name) {
  const file = FILES.find((file) => file.startsWith(`${name}-`));
  if (file === undefined) throw new Error(`Pyodide 314.0.7's folder has no wheel of ${name}`);
  return `/python/${file}`;
}
