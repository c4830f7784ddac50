/** Taking a WebAssembly module apart. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MAIN, split } from "../../scripts/build/split.mjs";
import { run } from "../../scripts/common/command.mjs";
import { withTemporaryFolder } from "../../scripts/common/file.mjs";

/** As binaryen writes modules: a field to a line, `(` behind one space. */
const TEXT = `(module
 (import "host" "note" (func $note (param i32)))
 (global $counter (mut i32) (i32.const 0))
 (memory $0 1)
 (data $0 (i32.const 8) "\\2a")
 (table $0 2 2 funcref)
 (elem $0 (table $0) (i32.const 1) func $later::callback)
 (export "twice" (func $twice))
 (export "enter" (func $enter))
 (export "callback" (func $callback))
 (func $shared (param $0 i32) (result i32)
  (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
  (i32.add (local.get $0) (global.get $counter)))
 (func $twice (param $0 i32) (result i32)
  (call $shared (call $shared (local.get $0))))
 (func $enter (param $0 i32) (result i32)
  (call $later::enter (local.get $0) (i32.const 3)))
 (func $callback (result i32)
  (call_indirect (result i32) (i32.const 1)))
 (func $later::enter (param $0 i32) (param $1 i32) (result i32)
  (call $note (local.get $1))
  (call $"only <later>" (call $shared (local.get $0))))
 (func $"only <later>" (param $0 i32) (result i32)
  (i32.add (local.get $0) (i32.load (i32.const 8))))
 (func $later::callback (result i32)
  (i32.const 77))
)
`;

test("a part has what only it needs, shares the rest, and traps until it is there", async () => {
  const { main, parts } = split(TEXT, { later: { entry: /^\$later::enter/, own: /later::/ } }, 0);
  const careful = split(TEXT, { later: { entry: /^\$later::enter/, own: /later::/ } });
  assert.ok(!careful.parts.later.includes("later::callback"), "a small function may stand for another, too");
  assert.ok(!careful.parts.later.includes("later::enter"), "whether a pointer to it is known or not");
  assert.ok(main.includes("(func $later::enter") && !main.includes("only <later>"));
  assert.ok(!parts.later.includes("(data") && !parts.later.includes("(func $twice"));
  await withTemporaryFolder(join(tmpdir(), "taipan-split"), async (folder) => {
    const compile = async (name, text) => {
      const [from, to] = [join(folder, `${name}.wat`), join(folder, `${name}.wasm`)];
      await writeFile(from, text);
      await run("wasm-opt", ["-Oz", "--enable-reference-types", "--enable-mutable-globals", from, "-o", to]);
      return new WebAssembly.Module(await readFile(to));
    };
    const notes = [];
    const imports = { host: { note: (value) => notes.push(value) } };
    const { exports } = new WebAssembly.Instance(await compile("main", main), imports);
    assert.equal(exports.twice(10), 13);
    assert.throws(() => exports.enter(1), WebAssembly.RuntimeError);
    assert.throws(() => exports.callback(), WebAssembly.RuntimeError);
    new WebAssembly.Instance(await compile("later", parts.later), { ...imports, [MAIN]: exports });
    assert.deepEqual([exports.enter(1), exports.callback(), notes], [1 + 3 + 42, 77, [3]]);
    assert.equal(exports.twice(10), 10 + 4 + 5);
  });
});
