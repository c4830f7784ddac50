/** Rust's standard library for wasm32-unknown-unknown. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find, run } from "../common/command.mjs";
import { root } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";
import { rustc } from "./rust.mjs";
import { buildStandardLibrary } from "./standard-library.mjs";

export const TARGET = "wasm32-unknown-unknown";

/** A folder proves nothing: whether the target works is seen by compiling a test for it, `test` crate included. */
async function compiles() {
  const folder = await mkdtemp(join(tmpdir(), "taipan-target-"));
  try {
    const source = join(folder, "probe.rs");
    await writeFile(source, "#[test]\nfn compiles() {}\n");
    const args = ["--test", "--edition", "2021", "--target", TARGET, "-o", join(folder, "probe.wasm"), source];
    return (await run("rustc", args, { mayFail: true })).code === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function install(toolchain) {
  let said = "rustup is not installed";
  if (await find("rustup")) {
    const { code, stderr } = await run("rustup", ["target", "add", TARGET], {
      mayFail: true,
      log: "rustup",
      timeout: 180_000,
    });
    if (code === 0 && (await compiles())) return;
    said = stderr.match(/^error: (.+)$/m)?.[1] ?? "it did not say why";
  }
  console.log(`  rustup could not add it (${said}).`);
  console.log("  Building it from the standard library's source in Debian's `rust-src` instead, about 2 minutes.");
  await buildStandardLibrary(toolchain, TARGET);
  // What was compiled against another standard library does not fit any more.
  const built = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  await rm(join(built, TARGET), { recursive: true, force: true });
  if (!(await compiles())) {
    throw new Problem(
      `Rust's standard library was built for ${TARGET}, yet rustc cannot compile for it.`,
      `Remove ${join(toolchain.sysroot, "lib", "rustlib", TARGET)} and run \`rustup target add ${TARGET}\`.`,
    );
  }
}

export async function wasmTarget() {
  const toolchain = await rustc();
  await step({
    name: `Rust ${toolchain.release} for ${TARGET}`,
    doing: "asking rustup for it, a few seconds",
    lock: "wasm-target",
    isDone: compiles,
    work: () => install(toolchain),
  });
}
