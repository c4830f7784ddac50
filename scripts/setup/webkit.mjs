/** A WebKit to test in: WebKitGTK's MiniBrowser, its WebDriver, and a display for it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { find } from "../common/command.mjs";
import { step } from "../common/step.mjs";
import { installDebianPrograms } from "./debian-programs.mjs";
import { canRun } from "./program.mjs";

/** Where distributions put what is not for users to call. */
const FOLDERS = ["/usr/lib", "/usr/libexec", "/usr/lib64"];

/** The MiniBrowser of the newest API version in `folder` or the folders right in it (`x86_64-linux-gnu`). */
async function miniBrowserIn(folder) {
  const names = await readdir(folder).catch(() => []);
  const isWebKit = (name) => name.startsWith("webkit2gtk-") || name.startsWith("webkitgtk-");
  const places = names.filter((name) => isWebKit(name)).map((name) => join(folder, name));
  for (const name of names.filter((name) => name.endsWith("-linux-gnu"))) {
    const inside = await readdir(join(folder, name)).catch(() => []);
    places.push(...inside.filter(isWebKit).map((one) => join(folder, name, one)));
  }
  for (const place of places.sort().reverse()) {
    if (await canRun(join(place, "MiniBrowser"))) return join(place, "MiniBrowser");
  }
  return undefined;
}

/** The path of MiniBrowser: `WEBKIT_PATH`, or what is installed; undefined where there is none. */
export async function webkitPath() {
  if (process.env.WEBKIT_PATH) return process.env.WEBKIT_PATH;
  for (const folder of FOLDERS) {
    const found = await miniBrowserIn(folder);
    if (found) return found;
  }
  return undefined;
}

/** The path of its driver: `WEBKITDRIVER`, or what is installed. */
export const webkitDriverPath = async () => process.env.WEBKITDRIVER || (await find("WebKitWebDriver"));

/** The path of the X server that it draws on, which needs no screen. */
export const displayPath = () => find("Xvfb");

async function isDone() {
  const programs = [await webkitPath(), await webkitDriverPath(), await displayPath()];
  return (await Promise.all(programs.map(canRun))).every(Boolean);
}

async function install() {
  await installDebianPrograms(
    "WebKitGTK, its driver or Xvfb",
    ["webkit2gtk-driver", "xvfb"],
    "Install WebKitGTK with MiniBrowser and WebKitWebDriver (WEBKIT_PATH and WEBKITDRIVER name them), or leave webkit " +
      "out of TAIPAN_BROWSERS.",
  );
}

export async function webkit() {
  await step({
    name: "WebKitGTK and its driver",
    doing: "installing Debian's packages, about a minute",
    lock: "webkit",
    isDone,
    work: install,
  });
}
