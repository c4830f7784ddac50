import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

// What TypeScript does before the wasm module is there, Rust does as well. Neither can call the other.

const source = (path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** The list that stands between two texts of a source file. */
async function list(path, before, after) {
  const [, found] = (await source(path)).split(before);
  assert.notEqual(found, undefined, `${path} has no "${before}"`);
  return found
    .slice(0, found.indexOf(after))
    .split(/[,|]/)
    .map((item) => item.trim());
}

test("the same statuses are tried again", async () => {
  const inRust = await list("crate/core/src/transfer/plan.rs", "matches!(status,", ")");
  const inTypeScript = await list("js/src/wasm_module.ts", "PASSING_STATUS = new Set([", "]");
  assert.ok(inRust.includes("503"));
  assert.deepEqual(inTypeScript, inRust);
});

test("an answer is told from others by the same headers", async () => {
  const inRust = await list("crate/web/src/fetch/request.rs", "let [date, tag, modified, length] =", "]");
  const inTypeScript = await list("js/src/early_files.ts", "const values =", "]");
  assert.ok(inRust.some((name) => name.includes("ETag")));
  assert.deepEqual(inTypeScript, inRust);
});
