/** A Chromium to test in, and its driver for `wasm-pack test`. */
import { access } from "node:fs/promises";
import { find, run } from "../common/command.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const APPLICATIONS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The path of Chromium: `CHROME_PATH`, or what is installed; undefined where there is none. */
export async function chromiumPath() {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH;
  const onPath = await find(...PROGRAMS);
  if (onPath) return onPath;
  for (const path of APPLICATIONS) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** The path of the driver: `CHROMEDRIVER`, or what is installed. */
export const driverPath = async () => process.env.CHROMEDRIVER || (await find("chromedriver"));

async function runs(path) {
  if (!path) return false;
  const { code, stdout } = await run(path, ["--version"], { mayFail: true, timeout: 60_000 });
  return code === 0 && /\d+\./.test(stdout);
}

async function install() {
  if (process.env.CHROME_PATH && !(await runs(process.env.CHROME_PATH))) {
    throw new Problem(
      `CHROME_PATH is ${process.env.CHROME_PATH}, which does not run.`,
      "Correct or unset CHROME_PATH.",
    );
  }
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !(await find("apt-get"))) {
    throw new Problem(
      "Chromium or its driver is not installed, and it takes root on a Debian-like system to do that from here.",
      "Install Chromium or Chrome and chromedriver of the same version (Debian: `sudo apt-get install chromium " +
        "chromium-driver`), or set CHROME_PATH and CHROMEDRIVER, and run this again.",
    );
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const next = "Look at what apt-get says, then run `apt-get install chromium chromium-driver`.";
  await run("apt-get", ["update"], { env, log: "apt-update", mayFail: true });
  const args = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
  await run("apt-get", args, { env, log: "apt-install", next });
}

export async function chromium() {
  await step({
    name: "Chromium and chromedriver",
    doing: "installing Debian's packages, about a minute",
    lock: "chromium",
    isDone: async () => (await runs(await chromiumPath())) && (await runs(await driverPath())),
    work: install,
  });
}
