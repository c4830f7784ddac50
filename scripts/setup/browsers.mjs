/** The browsers to test in, besides Chromium, which is needed for more than that. */
import { Problem } from "../common/problem.mjs";
import { firefox } from "./firefox.mjs";
import { webkit } from "./webkit.mjs";

/** What there is to test in. */
export const BROWSERS = ["chromium", "firefox", "webkit"];

/**
 * The browsers to test in: those in `TAIPAN_BROWSERS` (names with commas between), else all. Where `CI` is set it is
 * always all.
 */
export function chosenBrowsers() {
  const chosen = (process.env.TAIPAN_BROWSERS ?? "").split(",").map((name) => name.trim());
  const names = chosen.filter(Boolean);
  const unknown = names.find((name) => !BROWSERS.includes(name));
  if (unknown) {
    throw new Problem(
      `TAIPAN_BROWSERS names ${unknown}, which is no browser known here.`,
      `Choose from ${BROWSERS.join(", ")}.`,
    );
  }
  return names.length === 0 || process.env.CI ? BROWSERS : names;
}

export async function browsers() {
  const names = chosenBrowsers();
  // One after the other: they share the system's package manager.
  if (names.includes("firefox")) await firefox();
  if (names.includes("webkit")) await webkit();
}
