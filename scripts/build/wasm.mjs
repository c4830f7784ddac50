/** `crate/web`, in parts and optimised, with the JavaScript and types that wasm-bindgen makes for it. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { run } from "../common/command.mjs";
import { placeWhole, withTemporaryFolder, writeWhole } from "../common/file.mjs";
import { localCache, root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";
import { rustc } from "../setup/rust.mjs";
import { filesUnder, hashOf, isCurrent, remember } from "./inputs.mjs";
import { PARTS } from "./parts.mjs";
import { MAIN, split } from "./split.mjs";

const crate = join(root, "crate", "web");
const NAME = "taipan_web";
/** The name of a part's module. */
const fileOf = (part) => join(crate, "pkg", `${NAME}_${part}.wasm`);
const [SCRIPT, TYPES, WHOLE] = [".js", ".d.ts", "_bg.wasm"].map((ending) => join(crate, "pkg", NAME + ending));
/** What the npm package takes. */
export const OUTPUTS = [SCRIPT, TYPES, WHOLE, `${WHOLE}.d.ts`, ...Object.keys(PARTS).map(fileOf)];

const FEATURES = [
  "bulk-memory",
  "nontrapping-float-to-int",
  "sign-ext",
  "mutable-globals",
  "reference-types",
  "multivalue",
  "exception-handling",
].map((feature) => `--enable-${feature}`);

const ARGUMENTS = ["--release", "--target", "web", "--mode", "no-install", "--out-dir", "pkg", "--out-name", NAME];

/** Panic messages name source files; no path of the machine that built them gets into the module. */
function flags({ sysroot, commit }) {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const remapped = [
    [root, "/taipan"],
    [cargo, "/cargo"],
    [sysroot, "/rust"],
    [join(sysroot, "lib", "rustlib", "src", "rust"), `/rustc/${commit}`],
  ];
  // RUSTFLAGS is split at spaces, and wasm-pack passes on no other form of it.
  return remapped.map(([from, to]) => `--remap-path-prefix=${from}=${to}`).filter((flag) => !/\s/.test(flag));
}

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
      "wasm-bindgen writes its script in another way than scripts/build/wasm.mjs expects: adapt it.",
    );
  }
  await writeWhole(SCRIPT, script);
  return text.replace(/^( \(import "[^"]*" ")([^"]*)/gm, (_, before, name) => before + short.get(name));
}

/** Takes the module apart, optimises what comes of it, and lets wasm-bindgen's script add parts. */
async function takeApart() {
  await withTemporaryFolder(join(localCache, "build"), async (folder) => {
    const path = (name) => join(folder, name);
    await run("wasm-dis", [WHOLE, ...FEATURES, "-o", path("whole.wat")]);
    const whole = await shortenImports(await readFile(path("whole.wat"), "utf8"));
    const { main, parts } = split(whole, PARTS);
    for (const [name, text] of Object.entries({ [MAIN]: main, ...parts })) {
      await writeWhole(path(`${name}.wat`), text);
      await run("wasm-opt", ["-Oz", ...FEATURES, path(`${name}.wat`), "-o", path(`${name}.wasm`)]);
    }
    await placeWhole(path(`${MAIN}.wasm`), WHOLE);
    for (const part of Object.keys(PARTS)) await placeWhole(path(`${part}.wasm`), fileOf(part));
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

export async function buildWasm() {
  const toolchain = await rustc();
  const inputs = async () => {
    const sources = await filesUnder(join(root, "crate"), ["pkg", "target", "tests", "examples", "benches"]);
    const { stdout } = await run("wasm-opt", ["--version"]);
    const manifests = ["Cargo.toml", "Cargo.lock"].map((name) => join(root, name));
    const programs = ["wasm.mjs", "split.mjs", "parts.mjs"].map((name) => join(root, "scripts", "build", name));
    return hashOf([...manifests, ...programs, ...sources], toolchain.commit, stdout, ...ARGUMENTS);
  };
  let before = await inputs();
  await step({
    name: "Wasm module",
    doing: "compiling crate/web with wasm-pack, up to 3 minutes",
    lock: "build-wasm",
    lockFolder: join(localCache, "locks"),
    isDone: async () => isCurrent("wasm", before, OUTPUTS),
    work: async () => {
      before = await inputs();
      await run("wasm-pack", ["build", crate, ...ARGUMENTS], {
        log: "wasm-pack-build",
        env: { RUSTFLAGS: flags(toolchain).join(" ") },
        next: "The compiler's messages are above; `cargo check --target wasm32-unknown-unknown -p taipan-web` repeats them.",
      });
      await takeApart();
      await remember("wasm", before, OUTPUTS);
    },
  });
}
