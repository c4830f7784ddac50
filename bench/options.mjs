/** What the measurement is asked to do. */
import { parseArgs } from "node:util";
import { Problem } from "../scripts/common/problem.mjs";
import { loadersFor, loadersOf } from "./pages.mjs";

function lineOf(text) {
  const [, megabits, delay] = /^(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (!(Number(megabits) > 0)) {
    throw new Problem(
      `--line ${text} is not a line.`,
      "Give Mbit/s and milliseconds there and back, as in --line 20,40.",
    );
  }
  return { megabits: Number(megabits), roundTrip: Number(delay) };
}

function loadersNamed(text, steps) {
  const loaders = text.split(",");
  const possible = loadersFor(steps);
  const unknown = loaders.find((name) => !possible.includes(name));
  if (unknown === undefined) return loaders;
  const what = loadersFor("groupby").includes(unknown) ? ` with --${steps}` : "";
  throw new Problem(`There is no loader called ${unknown}${what}.`, `Choose from ${possible.join(", ")}.`);
}

/**
 * @param {string[]} args of the command line
 * @returns {{ runs: number, steps: "core" | "programs" | "groupby" | "figure" | "all", loaders: string[],
 *   line?: { megabits: number, roundTrip: number } }} `line` is absent where pages come over localhost as it is
 */
export function options(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        runs: { type: "string", default: "5" },
        only: { type: "string" },
        core: { type: "boolean", default: false },
        programs: { type: "boolean", default: false },
        figure: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        line: { type: "string" },
      },
    }));
  } catch (error) {
    throw new Problem(
      `${error.message}.`,
      "The options are --runs, --only, --core, --programs, --figure, --all and --line.",
    );
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Problem(`--runs ${values.runs} is not a number of runs.`);
  const [steps = "groupby", other] = ["core", "programs", "figure", "all"].filter((name) => values[name]);
  if (other) throw new Problem(`--${steps} and --${other} are two measurements.`, "Give one of them.");
  return {
    runs,
    steps,
    loaders: values.only === undefined ? loadersOf(steps) : loadersNamed(values.only, steps),
    ...(values.line !== undefined && { line: lineOf(values.line) }),
  };
}

/** The options as they stand over a table. */
export function heading({ runs, steps, line }) {
  const what = {
    core: "core only",
    programs: "programs",
    groupby: "numpy and pandas",
    figure: "numpy, pandas and matplotlib",
    all: "all packages",
  }[steps];
  const way = line ? `a line of ${line.megabits} Mbit/s and ${line.roundTrip} ms` : "localhost";
  const from = steps === "programs" ? "each program's own time" : "times from navigation";
  return `Median (least–most) of ${runs}, ${what}, over ${way}; ${from}.`;
}
