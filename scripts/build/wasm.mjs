/** `crate/web`, and `crate/node` for the command line, optimised, with the JavaScript and types that wasm-bindgen makes. */
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { localCache, root } from "../common/paths.mjs";
import { step } from "../common/step.mjs";
import { rustc } from "../setup/rust.mjs";
import { filesUnder, hashOf, isCurrent, remember } from "./inputs.mjs";

/** What wasm-bindgen leaves of a crate and the npm package takes. */
const outputsOf = (crate) => {
  const name = `taipan_${crate}`;
  const files = [`${name}.js`, `${name}.d.ts`, `${name}_bg.wasm`, `${name}_bg.wasm.d.ts`];
  return files.map((file) => join(root, "crate", crate, "pkg", file));
};
export const OUTPUTS = outputsOf("web");
export const NODE_OUTPUTS = outputsOf("node");

const ARGUMENTS = ["--release", "--target", "web", "--mode", "no-install", "--out-dir", "pkg", "--out-name"];

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

async function buildCrate({ crate, name, stamp, outputs }) {
  const toolchain = await rustc();
  const inputs = async () => {
    const skipped = ["pkg", "target", "tests", "examples", "benches"];
    const folders = ["core", crate].map((folder) => filesUnder(join(root, "crate", folder), skipped));
    const { stdout } = await run("wasm-opt", ["--version"]);
    const manifests = ["Cargo.toml", "Cargo.lock"].map((file) => join(root, file));
    return hashOf([...manifests, ...(await Promise.all(folders)).flat()], toolchain.commit, stdout, ...ARGUMENTS);
  };
  let before = await inputs();
  await step({
    name,
    doing: `compiling crate/${crate} with wasm-pack, up to 2 minutes`,
    lock: "build-wasm",
    lockFolder: join(localCache, "locks"),
    isDone: async () => isCurrent(stamp, before, outputs),
    work: async () => {
      before = await inputs();
      await run("wasm-pack", ["build", join(root, "crate", crate), ...ARGUMENTS, `taipan_${crate}`], {
        log: `wasm-pack-build-${crate}`,
        env: { RUSTFLAGS: flags(toolchain).join(" ") },
        next: `The compiler's messages are above; \`cargo check --target wasm32-unknown-unknown -p taipan-${crate}\` repeats them.`,
      });
      await remember(stamp, before, outputs);
    },
  });
}

/** What the command line needs. */
export const buildNodeWasm = () =>
  buildCrate({ crate: "node", name: "Wasm module of the command line", stamp: "wasm-node", outputs: NODE_OUTPUTS });

export async function buildWasm() {
  await buildCrate({ crate: "web", name: "Wasm module", stamp: "wasm", outputs: OUTPUTS });
  await buildNodeWasm();
}
