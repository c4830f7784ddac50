/** How scripts fail: as the command line tool does. */
import { explain, Problem } from "../../cli/problem.mjs";

export { explain, Problem };

/** Runs an entry script: a failure is explained and ends the process with 1. */
export async function main(body) {
  try {
    const code = await body(process.argv.slice(2));
    if (typeof code === "number") process.exitCode = code;
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  }
}
