/** Takes the wasm module of `crate/web` apart, so that a page fetches what it needs, and optimises what comes of it. */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { run } from "../common/command.mjs";
import { placeWhole, withTemporaryFolder, writeWhole } from "../common/file.mjs";
import { localCache, root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { PARTS } from "./parts.mjs";
import { MAIN, split } from "./split.mjs";

const path = (ending) => join(root, "crate", "web", "pkg", `taipan_web${ending}`);
const fileOf = (part) => path(`_${part}.wasm`);
const [SCRIPT, TYPES, WHOLE] = [".js", ".d.ts", "_bg.wasm"].map(path);

/** The modules of the parts. */
export const PART_OUTPUTS = Object.keys(PARTS).map(fileOf);

const FEATURES = [
  "bulk-memory",
  "nontrapping-float-to-int",
  "sign-ext",
  "mutable-globals",
  "reference-types",
  "multivalue",
  "exception-handling",
].map((feature) => `--enable-${feature}`);

/**
 * As small as it gets, with functions that stay small. A function with one caller would become part of it whatever its size,
 * and a browser compiles whole functions: when they are first called, and once more, for a tenth of a second where they are
 * large, when a loop in them is hot. Compressed, the module is smaller too. Nothing is kept in the first KiB of memory, where
 * the stack ends.
 */
const OPTIMISE = ["-Oz", "--low-memory-unused", "--one-caller-inline-max-function-size=30"];

/**
 * What Python starts with, once more: fewer functions, 2 % more bytes compressed. A restoration calls some two thousand, and
 * a browser compiles each for itself when it is first called.
 */
const JOIN = ["-O3", "--low-memory-unused", "--one-caller-inline-max-function-size=100"];
const JOINED = [MAIN, "image"];

/**
 * Gives what the module imports from wasm-bindgen's script short names, there and in the script. Those that wasm-bindgen
 * gives end in a hash each, which does not compress.
 */
async function shortenImports(text) {
  const names = Array.from(text.matchAll(/^ \(import "[^"]*" "([^"]*)"/gm), ([, name]) => name);
  const short = new Map(names.map((name, index) => [name, `i${index.toString(36)}`]));
  let found = 0;
  const script = (await readFile(SCRIPT, "utf8")).replace(/^( {8})(\w+)(?=: function\()/gm, (key, indent, name) => {
    if (short.has(name)) found += 1;
    return short.has(name) ? indent + short.get(name) : key;
  });
  if (found !== short.size) {
    throw new Problem(
      `${relative(root, SCRIPT)} has ${found} of the ${short.size} functions that the module imports.`,
      "wasm-bindgen writes its script in another way than scripts/build/take-apart.mjs expects: adapt it.",
    );
  }
  await writeWhole(SCRIPT, script);
  return text.replace(/^( \(import "[^"]*" ")([^"]*)/gm, (_, before, name) => before + short.get(name));
}

/** Takes the module apart, optimises what comes of it, and lets wasm-bindgen's script add parts. */
export async function takeApart() {
  await withTemporaryFolder(join(localCache, "build"), async (folder) => {
    const temporary = (name) => join(folder, name);
    await run("wasm-dis", [WHOLE, ...FEATURES, "-o", temporary("whole.wat")]);
    const whole = await shortenImports(await readFile(temporary("whole.wat"), "utf8"));
    const { main, parts } = split(whole, PARTS);
    for (const [name, text] of Object.entries({ [MAIN]: main, ...parts })) {
      await writeWhole(temporary(`${name}.wat`), text);
      const wasm = temporary(`${name}.wasm`);
      await run("wasm-opt", [...OPTIMISE, ...FEATURES, temporary(`${name}.wat`), "-o", wasm]);
      if (JOINED.includes(name)) await run("wasm-opt", [...JOIN, ...FEATURES, wasm, "-o", wasm]);
    }
    await placeWhole(temporary(`${MAIN}.wasm`), WHOLE);
    for (const part of Object.keys(PARTS)) await placeWhole(temporary(`${part}.wasm`), fileOf(part));
  });
  const add = `
export function addPart(module) {
    return new WebAssembly.Instance(module, { ...__wbg_get_imports(), ${MAIN}: wasm });
}
`;
  await writeWhole(SCRIPT, (await readFile(SCRIPT, "utf8")) + add);
  const types = "\n/** Instantiates a part of the module, which has to be there. */\n";
  const declaration = `${types}export function addPart(module: WebAssembly.Module): WebAssembly.Instance;\n`;
  await writeWhole(TYPES, (await readFile(TYPES, "utf8")) + declaration);
}
