/** `crate/web`, optimised, with the JavaScript and types that wasm-bindgen makes for it. */
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { localCache, root } from "../common/paths.mjs";
import { step } from "../common/step.mjs";
import { rustc } from "../setup/rust.mjs";
import { filesUnder, hashOf, isCurrent, remember } from "./inputs.mjs";

const crate = join(root, "crate", "web");
const NAME = "taipan_web";
/** What wasm-bindgen leaves and the npm package takes. */
export const OUTPUTS = [`${NAME}.js`, `${NAME}.d.ts`, `${NAME}_bg.wasm`, `${NAME}_bg.wasm.d.ts`].map((name) =>
  join(crate, "pkg", name),
);

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

export async function buildWasm() {
  const toolchain = await rustc();
  const inputs = async () => {
    const sources = await filesUnder(join(root, "crate"), ["pkg", "target", "tests", "examples", "benches"]);
    const { stdout } = await run("wasm-opt", ["--version"]);
    const manifests = ["Cargo.toml", "Cargo.lock"].map((name) => join(root, name));
    return hashOf([...manifests, ...sources], toolchain.commit, stdout, ...ARGUMENTS);
  };
  let before = await inputs();
  await step({
    name: "Wasm module",
    doing: "compiling crate/web with wasm-pack, up to 2 minutes",
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
      await remember("wasm", before, OUTPUTS);
    },
  });
}
