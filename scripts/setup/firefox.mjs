/** A Firefox to test in. */
import { find } from "../common/command.mjs";
import { step } from "../common/step.mjs";
import { installDebianPrograms } from "./debian-programs.mjs";
import { canRun, checkNamed, runs } from "./program.mjs";

const APPLICATION = "/Applications/Firefox.app/Contents/MacOS/firefox";

/** The path of Firefox: `FIREFOX_PATH`, or what is installed; undefined where there is none. */
export async function firefoxPath() {
  const named = process.env.FIREFOX_PATH || (await find("firefox-esr", "firefox"));
  if (named) return named;
  return (await canRun(APPLICATION)) ? APPLICATION : undefined;
}

async function install() {
  await checkNamed("FIREFOX_PATH");
  await installDebianPrograms(
    "Firefox",
    ["firefox-esr"],
    "Install Firefox, set FIREFOX_PATH, or leave it out of TAIPAN_BROWSERS.",
  );
}

export async function firefox() {
  await step({
    name: "Firefox",
    doing: "installing Debian's package, about half a minute",
    lock: "firefox",
    isDone: async () => runs(await firefoxPath()),
    work: install,
  });
}
