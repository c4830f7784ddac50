/** A Chromium to test in, and its driver for `wasm-pack test`. */
import { find } from "../common/command.mjs";
import { step } from "../common/step.mjs";
import { installDebianPrograms } from "./debian-programs.mjs";
import { canRun, checkNamed, runs } from "./program.mjs";

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
    if (await canRun(path)) return path;
  }
  return undefined;
}

/** The path of the driver: `CHROMEDRIVER`, or what is installed. */
export const driverPath = async () => process.env.CHROMEDRIVER || (await find("chromedriver"));

async function install() {
  await checkNamed("CHROME_PATH");
  await installDebianPrograms(
    "Chromium or its driver",
    ["chromium", "chromium-driver"],
    "Install Chromium or Chrome and chromedriver of the same version, or set CHROME_PATH and CHROMEDRIVER.",
  );
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
