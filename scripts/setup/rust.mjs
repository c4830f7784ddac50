/** The Rust toolchain of this machine. */
import { run } from "../common/command.mjs";
import { Problem } from "../common/problem.mjs";

const NEXT = "Install Rust 1.95 or newer as https://rustup.rs or your system describes, and run this again.";

/**
 * @returns {Promise<{ release: string, sysroot: string, host: string, commit: string }>} of the rustc that cargo
 *   will run
 */
export async function rustc() {
  const { stdout } = await run("rustc", ["--version", "--verbose"], { next: NEXT });
  const { stdout: sysroot } = await run("rustc", ["--print", "sysroot"], { next: NEXT });
  const field = (name) => stdout.match(new RegExp(`^${name}: (.+)$`, "m"))?.[1] ?? "";
  const release = field("release");
  const [major, minor] = release.split(".").map(Number);
  if (major === 1 && minor < 95) throw new Problem(`rustc ${release} is too old.`, NEXT);
  return { release, sysroot: sysroot.trim(), host: field("host"), commit: field("commit-hash") };
}
