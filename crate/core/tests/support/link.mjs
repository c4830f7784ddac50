// Links modules as a host does that has restored memory. Takes on standard input a line of JSON for each case, with the
// lengths of the binary parts that follow it in `parts`; stops with an error at the first one that is not as it has to be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const PAGE = 65_536;
const MEMORY_BASE = 1024;
const FILL = 0xa5;

let instantiated = 0;

const typeOf = (func) => JSON.stringify(func.type?.() ?? WebAssembly.Function.type(func));

/** What a side module gets for an import that nobody looks at. */
function standIn({ kind, type }) {
  if (kind === "global") return new WebAssembly.Global(type, type.value === "i64" ? 0n : 0);
  // Exceptions of C++ and longjmp carry an address.
  if (kind === "tag") return new WebAssembly.Tag({ parameters: ["i32"] });
  throw new Error(`nothing for ${kind}`);
}

/** The imports of a library, functions from a forwarder, which has them as `module.name`. */
function importsOf(module, known, forwarder) {
  const imports = {};
  for (const wanted of WebAssembly.Module.imports(module)) {
    imports[wanted.module] ??= {};
    imports[wanted.module][wanted.name] =
      known[wanted.name] ?? forwarder?.exports[`${wanted.module}.${wanted.name}`] ?? standIn(wanted);
  }
  return imports;
}

const isUntouched = (bytes) => bytes.equals(Buffer.alloc(bytes.length, FILL));

const immutable = (value) => new WebAssembly.Global({ value: "i32", mutable: false }, value);

const cases = {
  /** A real library: its memory is left alone, and every slot has a function of the type that was foretold. */
  real({ path, memorySize, tableBase, tableSize, slots, exported }, stripped, shim, forwarder) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((MEMORY_BASE + memorySize) / PAGE) });
    const bytes = Buffer.from(memory.buffer).fill(FILL);
    const table = new WebAssembly.Table({ element: "anyfunc", initial: tableBase + tableSize + exported.length });
    new WebAssembly.Instance(new WebAssembly.Module(shim), { shim: { table, link: () => 1 } });
    const filled = Array.from({ length: table.length }, (_, slot) => slot).filter((slot) => table.get(slot));
    const firstExported = tableBase + tableSize;
    assert.deepEqual(
      filled,
      [...new Set([...slots, ...exported.map((_, nth) => firstExported + nth)])].sort((a, b) => a - b),
      path,
    );
    const foretold = filled.map((slot) => table.get(slot));

    const module = new WebAssembly.Module(stripped);
    assert.equal(WebAssembly.Module.customSections(module, "dylink.0").length, 1, path);
    const known = {
      memory,
      __indirect_function_table: table,
      __memory_base: immutable(MEMORY_BASE),
      __table_base: immutable(tableBase),
    };
    const forward = new WebAssembly.Instance(new WebAssembly.Module(forwarder), { shim: { table } });
    const instance = new WebAssembly.Instance(module, importsOf(module, known, forward));
    for (const [nth, name] of exported.entries()) table.set(firstExported + nth, instance.exports[name]);

    assert.ok(isUntouched(bytes), `${path} wrote to memory`);
    filled.forEach((slot, nth) => {
      assert.notEqual(table.get(slot), foretold[nth], `${path}, slot ${slot}`);
      assert.equal(typeOf(table.get(slot)), typeOf(foretold[nth]), `${path}, slot ${slot}`);
    });
  },

  /** Two libraries, the same module: each is linked by the first call of one of its functions, and by nothing else. */
  linking({ slots }, whole, stripped, shim, forwarder) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 100 });
    const module = new WebAssembly.Module(stripped);
    const linked = [];
    let fails = true;
    let refuses = false;
    const instances = [];
    const link = (library, unlinked) => {
      linked.push(library);
      assert.equal(unlinked, 1, "the functions of this library can say 0");
      if (fails) throw new RangeError("not yet");
      if (refuses) return 0;
      instances[library] ??= instantiate(module, library);
      return 1;
    };
    const forward = new WebAssembly.Instance(new WebAssembly.Module(forwarder), { shim: { table } });
    const instantiate = (which, library) =>
      new WebAssembly.Instance(
        which,
        importsOf(
          which,
          {
            memory,
            __indirect_function_table: table,
            __memory_base: immutable(MEMORY_BASE * (library + 1)),
            __table_base: immutable(slots[library]),
          },
          forward,
        ),
      );
    new WebAssembly.Instance(new WebAssembly.Module(shim), { shim: { table, link } });
    const bytes = Buffer.from(memory.buffer).fill(FILL);

    const trampoline = table.get(slots[0] + 3);
    assert.throws(() => trampoline(1, 2n), { name: "RangeError", message: "not yet" });
    assert.equal(table.get(slots[0] + 3), trampoline);
    assert.deepEqual(linked, [0]);

    [fails, refuses] = [false, true];
    assert.equal(trampoline(1, 2n), 0, "without the library there is nothing to add");
    assert.equal(table.get(slots[0] + 3), trampoline);
    assert.deepEqual(linked, [0, 0]);
    linked.pop();

    refuses = false;
    // 1 + 2, and the address that the start function relocated.
    assert.equal(trampoline(1, 2n), 3 + MEMORY_BASE + 16);
    assert.deepEqual(linked, [0, 0]);
    assert.equal(table.get(slots[0] + 3), instances[0].exports.add);
    assert.equal(table.get(slots[0] + 3)(3, 4n), 7 + MEMORY_BASE + 16);
    assert.deepEqual(linked, [0, 0], "the second call was not direct");
    assert.ok(isUntouched(bytes), "it wrote to memory");

    // The second one's weak symbol is the first one's function, by way of the table, and calls of others link it too.
    assert.equal(forward.exports["env.weak"](5, 6n), 11 + MEMORY_BASE + 16);
    assert.equal(table.get(slots[1] + 4)(), MEMORY_BASE * 2 + 16 + 1000 + MEMORY_BASE + 16);
    assert.deepEqual(linked, [0, 0, 1]);
    assert.equal(trampoline(1, 2n), 3 + MEMORY_BASE + 16, "who kept the trampoline can still call it");

    instantiate(new WebAssembly.Module(whole), 0);
    assert.ok(!isUntouched(bytes), "the whole module writes to memory");
    // Its data, over which its start function copies three bytes.
    assert.equal(bytes.toString("latin1", MEMORY_BASE, MEMORY_BASE + 4), "abca");
  },

  /** A module of which one bit is wrong. Where the engine takes it, it takes what was made of it. */
  spoilt({ at }, whole, stripped, shim) {
    if (!WebAssembly.validate(whole)) return;
    assert.ok(WebAssembly.validate(stripped), `byte ${at}`);
    assert.ok(WebAssembly.validate(shim), `byte ${at}`);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = Buffer.from(memory.buffer).fill(FILL);
    const known = {
      memory,
      __indirect_function_table: new WebAssembly.Table({ element: "anyfunc", initial: 100 }),
      __memory_base: immutable(MEMORY_BASE),
      __table_base: immutable(1),
      weak: () => 0,
    };
    const module = new WebAssembly.Module(stripped);
    try {
      new WebAssembly.Instance(module, importsOf(module, known));
      instantiated += 1;
    } catch (error) {
      // Names of imports and offsets of elements may be among what is wrong.
      assert.ok(
        error instanceof WebAssembly.LinkError ||
          error instanceof WebAssembly.RuntimeError ||
          /^nothing for/.test(error.message),
        error,
      );
    }
    assert.ok(isUntouched(bytes), `wrote to memory with byte ${at} changed`);
  },

  enough() {
    assert.ok(instantiated > 500, `${instantiated} spoilt modules were instantiated`);
  },

  /** Types, slots and libraries of all sizes. */
  sizes({ slots, types }, shim, forwarder) {
    const table = new WebAssembly.Table({ element: "anyfunc", initial: slots.at(-1) + 1 });
    let linked;
    let refused;
    const link = (library, unlinked) => {
      linked = library;
      assert.equal(unlinked, types[library % types.length].results.length > 0 ? 0 : 2);
      if (refused) throw new RangeError("seen");
      return 0;
    };
    new WebAssembly.Instance(new WebAssembly.Module(shim), { shim: { table, link } });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(forwarder), { shim: { table } });
    slots.forEach((slot, library) => {
      const type = types[library % types.length];
      assert.deepEqual(JSON.parse(typeOf(table.get(slot))), type);
      assert.deepEqual(JSON.parse(typeOf(exports[`slot ${slot}`])), type);
      if ([...type.parameters, ...type.results].includes("v128")) return;
      const values = type.parameters.map((value) => (value === "i64" ? 1n : value === "funcref" ? null : 1));
      refused = type.results.length > 0;
      if (!refused) assert.equal(table.get(slot)(...values), undefined, "nothing is said without the library");
      refused = true;
      for (const call of [table.get(slot), exports[`slot ${slot}`]]) {
        linked = undefined;
        assert.throws(() => call(...values), { message: "seen" });
        assert.equal(linked, library);
      }
    });
  },
};

const input = readFileSync(0);
let at = 0;
while (at < input.length) {
  const lineEnd = input.indexOf("\n", at);
  const header = JSON.parse(input.toString("utf8", at, lineEnd));
  at = lineEnd + 1;
  const parts = header.parts.map((length) => {
    at += length;
    return input.subarray(at - length, at);
  });
  cases[header.case](header, ...parts);
}
