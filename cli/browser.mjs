/** An installed browser that opens one page without a window. */
import { spawn } from "node:child_process";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { Problem } from "./problem.mjs";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
  "msedge",
  "brave-browser",
  "firefox",
  "firefox-esr",
];

/** Where installers put browsers on systems that do not have them on the PATH. */
const PLACES = {
  darwin: ["Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser"]
    .map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`)
    .concat("/Applications/Firefox.app/Contents/MacOS/firefox"),
  win32: ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"]
    .map((name) => process.env[name])
    .filter(Boolean)
    .flatMap((folder) =>
      ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"].map((path) =>
        join(folder, path),
      ),
    ),
};

const isProgram = (path) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * The browser to use.
 *
 * @param {string} [wanted] its program
 * @returns {Promise<string>}
 */
export async function findBrowser(wanted = process.env.CHROME_PATH) {
  if (wanted) {
    if (await isProgram(wanted)) return wanted;
    throw new Problem(
      `${wanted} is no program.`,
      "--browser, or CHROME_PATH, names the program of an installed browser.",
    );
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const ending = process.platform === "win32" ? ".exe" : "";
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name + ending)));
  for (const path of [...onPath, ...(PLACES[process.platform] ?? [])]) if (await isProgram(path)) return path;
  throw new Problem(
    "No browser was found, and an image is made in one.",
    "Install Chromium, Chrome, Edge or Firefox, or name its program with --browser.",
  );
}

/** The arguments that open a page in a profile of its own. */
function argumentsFor(program, profile, url) {
  if (/firefox/i.test(basename(program))) return ["--headless", "--no-remote", "--profile", profile, url];
  const flags = [
    "--headless=new",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--user-data-dir=${profile}`,
  ];
  // Chromium's sandbox does not work for root, whom containers run as; the page that is opened is ours alone.
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  return [...flags, url];
}

/**
 * Opens a page.
 *
 * @param {string} program
 * @param {string} url
 * @returns {Promise<{ ended: Promise<string>, close(): Promise<void> }>} `ended` resolves when the browser ends by itself,
 *   with what it said last
 */
export async function openPage(program, url) {
  const profile = await mkdtemp(join(tmpdir(), "taipan-browser-"));
  const child = spawn(program, argumentsFor(program, profile, url), { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(said.trim() || `it ended with ${signal ?? `code ${code}`}`));
  });
  return {
    ended,
    async close() {
      child.kill("SIGKILL");
      await ended;
      // Its own processes may still be writing for a moment.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }).catch(() => {});
    },
  };
}
