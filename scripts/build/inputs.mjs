/** Whether something that was built is still what its inputs make. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { readJson, writeWhole } from "../common/file.mjs";
import { localCache, root } from "../common/paths.mjs";

/** Every file under a folder, sorted, without the entries that `skip` names. */
export async function filesUnder(folder, skip = []) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (skip.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesUnder(path, skip)));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

/** One hash over the names and contents of files, and over whatever else matters. */
export async function hashOf(files, ...others) {
  const hash = createHash("sha256");
  for (const other of others) hash.update(`${other}\0`);
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(await readFile(file))
      .update("\0");
  return hash.digest("hex");
}

const stampPath = (name) => join(localCache, "build", `${name}.json`);

/** Whether `name` was built from these inputs and its outputs are what the build left. */
export async function isCurrent(name, inputs, outputs) {
  const stamp = await readJson(stampPath(name));
  if (stamp?.inputs !== inputs) return false;
  return (await hashOf(outputs).catch(() => undefined)) === stamp.outputs;
}

/** Remembers what `name` was built from. */
export async function remember(name, inputs, outputs) {
  await writeWhole(stampPath(name), JSON.stringify({ inputs, outputs: await hashOf(outputs) }));
}
