/** How many tests passed and failed, out of what the test runners print. */

const ESCAPE = String.fromCharCode(27);
const COLOUR = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");

const PATTERNS = [
  // Rust's test harness, and wasm-bindgen's
  /^\s*test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed/,
  // node --test
  /^(?:ℹ|#) pass (?<passed>\d+)$/,
  /^(?:ℹ|#) (?:fail|cancelled) (?<failed>\d+)$/,
];

/** What our own programs say last; lines before it are of their parts. */
const OWN = /^(?<passed>\d+) passed, (?<failed>\d+) failed$/;

/** @returns {{ passed: number, failed: number }} */
export function tally(output) {
  const lines = output.replaceAll(COLOUR, "").split("\n");
  const own = OWN.exec(lines.findLast((line) => OWN.test(line)) ?? "")?.groups;
  const total = { passed: Number(own?.passed ?? 0), failed: Number(own?.failed ?? 0) };
  for (const line of lines) {
    for (const pattern of PATTERNS) {
      const groups = pattern.exec(line.trimEnd())?.groups;
      total.passed += Number(groups?.passed ?? 0);
      total.failed += Number(groups?.failed ?? 0);
    }
  }
  return total;
}
