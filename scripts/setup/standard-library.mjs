/**
 * Builds Rust's standard library for a target from Debian's `rust-src`, for machines that cannot reach rustup's
 * servers. The result works with plain stable cargo, LTO and `cargo test`.
 */
import { copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { withTemporaryFolder } from "../common/file.mjs";
import { cache } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { fetchDebianPackage } from "./debian-package.mjs";

const SUITES = ["trixie-backports", "forky", "sid", "trixie"];

async function unpackLibrary(deb, folder) {
  // Only the library is needed; the package also has the compiler's own source.
  await run("sh", [
    "-c",
    `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards './usr/src/rustc-*/library'`,
    "sh",
    deb,
    folder,
  ]);
  const source = join(folder, "usr", "src");
  const [version] = await readdir(source);
  return join(source, version, "library");
}

async function compile(library, target, folder) {
  const flags = [
    "-Zforce-unstable-if-unmarked",
    `--remap-path-prefix=${library}=/rustc/library`,
    `--remap-path-prefix=${folder}=/build`,
  ];
  const home = process.env.CARGO_HOME ?? join(process.env.HOME ?? "", ".cargo");
  flags.push(`--remap-path-prefix=${home}=/cargo`);
  const args = ["build", "--manifest-path", join(library, "sysroot", "Cargo.toml"), "--locked", "--profile", "dist"];
  await run("cargo", [...args, "--features", "backtrace", "--target", target], {
    cwd: library,
    log: "standard-library",
    env: {
      RUSTC_BOOTSTRAP: "1",
      CARGO_TARGET_DIR: folder,
      CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f"),
      RUSTFLAGS: undefined,
      CARGO_BUILD_TARGET: undefined,
    },
    next: "Check that the crates registry can be reached and that 1 GB of disk is free, then run this again.",
  });
  return join(folder, target, "dist", "deps");
}

/**
 * @param {{ release: string, sysroot: string }} toolchain the one to build with and to add to
 * @param {string} target
 */
export async function buildStandardLibrary({ release, sysroot }, target) {
  await withTemporaryFolder(join(cache, "build", "standard-library"), async (folder) => {
    const isWanted = (version) => version.startsWith(`${release}+`) || version.startsWith(`${release}-`);
    const deb = await fetchDebianPackage("rust-src", isWanted, SUITES, join(folder, "apt"));
    const library = await unpackLibrary(deb, folder);
    const deps = await compile(library, target, join(folder, "target"));
    await place(deps, join(sysroot, "lib", "rustlib", target));
  });
}

/** Puts the compiled libraries into the toolchain: first beside their place, then there in one rename. */
async function place(deps, destination) {
  const staging = `${destination}.${process.pid}.part`;
  const replaced = `${destination}.${process.pid}.old`;
  try {
    await mkdir(join(staging, "lib"), { recursive: true });
    const libraries = (await readdir(deps)).filter((name) => name.endsWith(".rlib") && !name.startsWith("libsysroot-"));
    if (!libraries.some((name) => /^libstd[-.]/.test(name))) throw new Error("the build left no libstd");
    for (const name of libraries) await copyFile(join(deps, name), join(staging, "lib", name));
    if (await stat(destination).catch(() => undefined)) await rename(destination, replaced);
    await rename(staging, destination);
  } catch (error) {
    throw new Problem(
      `Rust's standard library could not be put into ${destination} (${error.message}).`,
      "Run this once as a user who may write there.",
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(replaced, { recursive: true, force: true });
  }
}
