/** What a prepared folder weighs. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { CODING_NAMES, isVariant, SUFFIXES } from "./compress.mjs";
import { LIBRARY_FILE, LOCK_FILE, WASM_FILE } from "./distribution.mjs";
import { size, table } from "./output.mjs";

const lengthOf = async (path) => (await stat(path).catch(() => undefined))?.size;

/** Bytes of a file as it is and as it is sent with each coding. */
async function weigh(out, name) {
  const path = join(out, name);
  const raw = await lengthOf(path);
  const lengths = SUFFIXES.map(async (suffix) => [suffix, (await lengthOf(`${path}.${suffix}`)) ?? raw]);
  return { raw, ...Object.fromEntries(await Promise.all(lengths)) };
}

const KINDS = ["raw", ...SUFFIXES];

const add = (weights) =>
  Object.fromEntries(KINDS.map((kind) => [kind, weights.reduce((sum, one) => sum + one[kind], 0)]));

/**
 * @param {string} out the folder
 * @param {object} lock its lock file
 * @returns {Promise<string>} a table: what a page needs at once, one by one; what waits, together
 */
export async function report(out, lock) {
  const { files, side_modules: sideModules } = lock.taipan;
  const glue = Object.keys(files).find((name) => name.startsWith("pyodide.asm.") && name !== WASM_FILE);
  const row = (name, weight) => [name, ...KINDS.map((kind) => size(weight[kind]))];
  const first = [];
  const rows = [];
  const weighed = new Set();
  const put = async (title, names) => {
    for (const name of names) weighed.add(name);
    const weight = add(await Promise.all(names.map((name) => weigh(out, name))));
    first.push(weight);
    rows.push(row(title, weight));
  };
  for (const name of [WASM_FILE, glue, LIBRARY_FILE, LOCK_FILE]) await put(name, [name]);
  for (const name of Object.keys(files).filter((name) => !weighed.has(name))) {
    await put(basename(name), [name]);
    const modules = sideModules[files[name].sha256] ?? [];
    if (modules.length > 0) {
      await put(
        `  ${modules.reduce((sum, { contents }) => sum + contents.length, 0)} side modules`,
        modules.map(({ file_name }) => file_name),
      );
    }
  }
  const waiting = [];
  for (const folder of await readdir(join(out, "files")).catch(() => [])) {
    for (const name of await readdir(join(out, "files", folder))) {
      const path = `files/${folder}/${name}`;
      if (!isVariant(name) && !weighed.has(path)) waiting.push(await weigh(out, path));
    }
  }
  const total = add(first);
  return table(
    ["file", "raw", ...Object.values(CODING_NAMES)],
    [
      ...rows,
      [],
      row("until everything is imported", total),
      row(`${waiting.length} files that wait until they are read`, add(waiting)),
    ],
  );
}
