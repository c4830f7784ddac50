/**
 * Checks format, lints and types.
 *
 *   npm run lint               everything
 *   npm run lint -- types      one check: format, clippy, clippy-wasm, biome or types
 *   npm run format             puts right what can be put right by a program
 */
import { join } from "node:path";
import { run } from "./common/command.mjs";
import { root } from "./common/paths.mjs";
import { main, Problem } from "./common/problem.mjs";
import { duration } from "./common/step.mjs";
import { nodePackages } from "./setup/node-packages.mjs";
import { TARGET, wasmTarget } from "./setup/wasm-target.mjs";

const tool = (...path) => join(root, "node_modules", ...path);
const clippy = (...args) => ["cargo", "clippy", ...args, "--", "-D", "warnings"];

const CHECKS = {
  format: [["cargo", "fmt", "--all", "--check"]],
  clippy: [clippy("--workspace", "--all-targets")],
  // The tests of core run natively and use crates that do not compile for wasm32.
  "clippy-wasm": [
    clippy("--target", TARGET, "--package", "taipan-core", "--lib"),
    clippy("--target", TARGET, "--package", "taipan-node", "--lib"),
    clippy("--target", TARGET, "--package", "taipan-web", "--all-targets"),
  ],
  biome: [[tool(".bin", "biome"), "ci", "--colors=off", "."]],
  types: ["tsconfig.json", "tsconfig.www.json"].map((project) => [
    process.execPath,
    tool("typescript", "bin", "tsc"),
    "--noEmit",
    "--project",
    project,
  ]),
};

const FIXES = [
  ["cargo", "fmt", "--all"],
  [tool(".bin", "biome"), "check", "--colors=off", "--write", "."],
];

async function check(name) {
  const start = performance.now();
  let failed = 0;
  for (const [program, ...args] of CHECKS[name]) {
    const { code, stdout, stderr } = await run(program, args, { cwd: root, mayFail: true, log: `lint-${name}` });
    if (code === 0) continue;
    failed = 1;
    console.log(`${stdout}${stderr}`.trimEnd());
  }
  console.log(`${failed ? "✗" : "✓"} ${name} (${duration(performance.now() - start)})`);
  return failed;
}

await main(async (args) => {
  await nodePackages();
  if (args.includes("--fix")) {
    for (const [program, ...rest] of FIXES) await run(program, rest, { cwd: root, show: true });
    return 0;
  }
  const names = args.length > 0 ? args : Object.keys(CHECKS);
  const unknown = names.find((name) => !CHECKS[name]);
  if (unknown)
    throw new Problem(`There is no check called ${unknown}.`, `Choose from ${Object.keys(CHECKS).join(", ")}.`);
  if (names.includes("clippy-wasm")) await wasmTarget();
  // The page's types are those of the built package.
  if (names.includes("types")) await (await import("./build/package.mjs")).buildDeclarations();
  let failed = 0;
  for (const name of names) failed += await check(name);
  console.log(`${names.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
});
