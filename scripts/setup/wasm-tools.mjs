/** wasm-pack, wasm-bindgen and wasm-opt, each in the version that the crates were made with. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { root, tools } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";

const WASM_PACK = "0.15.1";

/** The version of a crate in Cargo.lock. wasm-bindgen's program must be of exactly the crate's version. */
export async function lockedVersion(crate) {
  const lock = await readFile(join(root, "Cargo.lock"), "utf8");
  const version = lock.match(new RegExp(`^name = "${crate}"\nversion = "([^"]+)"`, "m"))?.[1];
  if (!version) throw new Problem(`Cargo.lock does not name ${crate}.`, "Run `cargo generate-lockfile`.");
  return version;
}

const isVersion = async (program, version) => {
  const { code, stdout } = await run(program, ["--version"], { mayFail: true });
  return code === 0 && stdout.trim().split(/\s+/).includes(version);
};

/** These are run for seconds only, so they are compiled in a hurry. */
const HASTY = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_DEBUG: "0",
  CARGO_BUILD_TARGET: undefined,
  RUSTFLAGS: undefined,
};

const install = (crate, version, ...options) =>
  run("cargo", ["install", crate, "--version", version, "--root", tools, "--force", ...options], {
    log: `cargo-install-${crate}`,
    env: HASTY,
    next: "Check that the crates registry can be reached and that a C compiler is installed (Debian: `apt-get install build-essential`).",
  });

async function wasmPack() {
  const program = join(tools, "bin", "wasm-pack");
  await step({
    name: `wasm-pack ${WASM_PACK}`,
    doing: "compiling it with `cargo install`, 2 to 4 minutes, once",
    lock: "tools",
    isDone: () => isVersion(program, WASM_PACK),
    work: () => install("wasm-pack", WASM_PACK, "--locked"),
  });
}

async function wasmBindgen() {
  const version = await lockedVersion("wasm-bindgen");
  const programs = ["wasm-bindgen", "wasm-bindgen-test-runner"].map((name) => join(tools, "bin", name));
  await step({
    name: `wasm-bindgen ${version}`,
    doing: "compiling it with `cargo install`, 2 to 4 minutes, once",
    lock: "tools",
    isDone: async () => (await Promise.all(programs.map((program) => isVersion(program, version)))).every(Boolean),
    work: () => install("wasm-bindgen-cli", version),
  });
}

/** The one that wasm-pack will take from `PATH`. Older ones miscompile without a word. */
async function wasmOpt() {
  const name = "wasm-opt";
  const { stdout, code } = await run(name, ["--version"], { mayFail: true });
  const version = Number(stdout.match(/version (\d+)/)?.[1] ?? 0);
  if (code !== 0 || version < 130) {
    throw new Problem(
      `wasm-opt of npm's binaryen is not there (found: ${version || "none"}).`,
      "Run `npm ci`, then run this again.",
    );
  }
  console.log(`✓ wasm-opt ${version}`);
}

export async function wasmTools() {
  await wasmPack();
  await wasmBindgen();
  await wasmOpt();
}
