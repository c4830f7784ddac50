/** The files of the npm package: `js/` compiled, and the wasm module beside it. */
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";
import { run } from "../common/command.mjs";
import { placeWhole, sha256 } from "../common/file.mjs";
import { localCache, root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { size, step } from "../common/step.mjs";
import { bundle, modules } from "./bundle.mjs";
import { makeBytecode, placeBytecode } from "./bytecode.mjs";
import { filesUnder, hashOf, isCurrent, remember } from "./inputs.mjs";
import { NODE_OUTPUTS, OUTPUTS as WASM } from "./wasm.mjs";

const dist = join(root, "dist");
const BUNDLER = fileURLToPath(new URL("bundle.mjs", import.meta.url));
const BOUNDARY = join(root, "crate", "web", "src", "boundary.d.ts");
/** What a page fetches before Python is ready, as brotli. The goal is 350 KB; this keeps it from growing meanwhile. */
const BUDGET = 405_000;
/** The same with what is fetched when it is first needed. */
const BUDGET_OF_ALL = 609_000;
/** What is fetched before Python is ready. The rest is fetched when it is first needed, or belongs to other entries. */
const FIRST = ["index.js", "worker.js", "wasm/engine.js", "wasm/taipan_web_bg.wasm"];

/** What wasm-bindgen writes: it becomes part of the scripts. */
const SCRIPT = WASM.find((file) => file.endsWith(".js"));

/** Where files of the wasm modules go as they are. */
const COPIES = new Map([
  ...WASM.filter((from) => from !== SCRIPT).map((from) => [from, join(dist, "wasm", basename(from))]),
  ...NODE_OUTPUTS.map((from) => [from, join(dist, "cli", "wasm", basename(from))]),
]);

async function copyWasm() {
  for (const [from, to] of COPIES) {
    const wanted = await sha256(from);
    if (!wanted) {
      throw new Problem(`${relative(root, from)} is not there.`, "Run `npm run build:wasm` first.");
    }
    if ((await sha256(to)) !== wanted) await placeWhole(from, to);
  }
}

/** Removes what an earlier build left: scripts, and the types of sources that are gone. */
async function removeStale(sources) {
  const types = (source) => `${relative(join(root, "js", "src"), source).replace(/(\.d)?\.ts$/, "")}.d.ts`;
  const names = new Set(sources.map((source) => join(dist, types(source))));
  for (const copy of COPIES.values()) names.add(copy);
  for (const file of await filesUnder(dist, ["bytecode", "cli"])) if (!names.has(file)) await rm(file);
  await rm(modules, { recursive: true, force: true });
}

/** The command line tool, which is plain JavaScript; no page loads it. */
async function copyTool() {
  const tool = await filesUnder(join(root, "cli"));
  for (const from of tool) {
    const to = join(dist, relative(root, from));
    if ((await sha256(to)) !== (await sha256(from))) await placeWhole(from, to);
  }
  const names = new Set(tool.map((from) => join(dist, relative(root, from))));
  for (const file of await filesUnder(join(dist, "cli"), ["wasm"])) if (!names.has(file)) await rm(file);
}

async function printSizes() {
  const compress = promisify(brotliCompress);
  const first = new Set(FIRST.map((name) => join(dist, name)));
  let [total, before] = [0, 0];
  const rows = [];
  for (const file of await filesUnder(dist, ["cli"])) {
    if (!/\.(js|wasm)$/.test(file)) continue;
    const data = await readFile(file);
    const compressed = (await compress(data)).length;
    total += compressed;
    if (first.has(file)) before += compressed;
    rows.push([relative(root, file), data.length, compressed]);
  }
  for (const [name, raw, compressed] of rows.sort((a, b) => b[2] - a[2]).slice(0, 4)) {
    console.log(`    ${name.padEnd(34)} ${size(raw).padStart(9)}, brotli ${size(compressed).padStart(9)}`);
  }
  if (rows.length > 4) console.log(`    and ${rows.length - 4} smaller files`);
  const amounts = [
    ["Until Python is ready", before, BUDGET],
    ["In all", total, BUDGET_OF_ALL],
  ];
  for (const [what, amount, budget] of amounts) {
    console.log(`    ${what}, brotli: ${size(amount)} of a budget of ${size(budget)}`);
    if (amount > budget) {
      throw new Problem(
        `${what}, the npm package's runtime is ${size(amount)} as brotli, over its budget of ${size(budget)}.`,
        "See what grew with `npx twiggy` or `wasm-opt --metrics`, and take it out or into a part (scripts/build/parts.mjs).",
      );
    }
  }
}

/** The types alone, which need no wasm module; where it is absent its types come from `js/src/wasm`. */
export async function buildDeclarations() {
  await compile("--emitDeclarationOnly");
  await placeWhole(BOUNDARY, join(dist, "boundary.d.ts"));
}

const compile = (...options) => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  return run(process.execPath, [tsc, "--project", "tsconfig.build.json", ...options], { cwd: root, log: "tsc" });
};

/** What there is of the package, and the modules that it was made of, which tests use one by one. */
const outputs = async () => [...(await filesUnder(dist)), ...(await filesUnder(modules).catch(() => []))];

export async function buildPackage() {
  const sources = (await filesUnder(join(root, "js", "src"))).filter((file) => file.endsWith(".ts"));
  if (sources.length === 0) throw new Problem("js/src has no TypeScript in it.", "Check out the repository again.");
  const configuration = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"].map((name) => join(root, name));
  const bytecode = await makeBytecode();
  const tool = await filesUnder(join(root, "cli"));
  let inputs = "";
  const refresh = async () => {
    inputs = await hashOf([...configuration, ...sources, ...WASM, ...tool, BOUNDARY, BUNDLER, bytecode].sort()).catch(
      () => "",
    );
  };
  await refresh();
  await step({
    name: "npm package",
    doing: "compiling js/ into dist/, some seconds",
    lock: "build-package",
    lockFolder: join(localCache, "locks"),
    isDone: async () => inputs !== "" && isCurrent("package", inputs, await outputs()),
    work: async () => {
      await copyWasm();
      await refresh();
      await removeStale(sources);
      await compile("--outDir", modules, "--declarationDir", dist);
      await placeWhole(SCRIPT, join(modules, "wasm", basename(SCRIPT)));
      // The boundary's types stand beside the Rust code they describe; the package has its own copy.
      await placeWhole(BOUNDARY, join(dist, "boundary.d.ts"));
      await placeBytecode(dist, modules);
      await bundle(dist);
      await copyTool();
      if (!(await readdir(dist)).includes("index.js"))
        throw new Problem("js/src has no index.ts, so dist/ has no entry.");
      await printSizes();
      await remember("package", inputs, await outputs());
    },
  });
}
