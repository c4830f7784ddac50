/** Installs programs from Debian's own packages. */
import { join } from "node:path";
import { find, run } from "../common/command.mjs";
import { withLock } from "../common/lock.mjs";
import { cache } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";

/** What to put before a command that needs root; undefined where there is no way to become root without a question. */
async function asRoot() {
  if (process.getuid?.() === 0) return [];
  if (!(await find("sudo"))) return undefined;
  const { code } = await run("sudo", ["--non-interactive", "true"], { mayFail: true, timeout: 10_000 });
  return code === 0 ? ["sudo", "--non-interactive", "DEBIAN_FRONTEND=noninteractive"] : undefined;
}

/**
 * Installs packages, with what they depend on and nothing that they recommend.
 *
 * @param {string} what is installed, as a sentence begins with it
 * @param {string[]} packages
 * @param {string} instead what to do where this cannot be done from here
 */
export async function installDebianPrograms(what, packages, instead) {
  const prefix = (await find("apt-get")) ? await asRoot() : undefined;
  if (!prefix) {
    throw new Problem(
      `${what} is not installed, and it takes root on a Debian-like system to do that from here.`,
      `${instead} On Debian: \`sudo apt-get install ${packages.join(" ")}\`. Then run this again.`,
    );
  }
  const aptGet = (args, options) => {
    const [program, ...rest] = [...prefix, "apt-get", ...args];
    return run(program, rest, { env: { DEBIAN_FRONTEND: "noninteractive" }, ...options });
  };
  // apt refuses to do two things at once.
  await withLock(join(cache, "locks", "apt.lock"), async () => {
    await aptGet(["update"], { log: "apt-update", mayFail: true });
    await aptGet(["install", "--yes", "--no-install-recommends", ...packages], {
      log: `apt-install-${packages[0]}`,
      next: `Look at what apt-get says, then run \`apt-get install ${packages.join(" ")}\`.`,
    });
  });
}
