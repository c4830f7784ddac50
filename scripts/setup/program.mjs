/** Programs of the machine. */
import { access, constants } from "node:fs/promises";
import { run } from "../common/command.mjs";
import { Problem } from "../common/problem.mjs";

/** Whether this is a program. */
export async function canRun(path) {
  if (!path) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Whether a program is there and can say its version. */
export async function runs(path) {
  if (!path) return false;
  const { code, stdout } = await run(path, ["--version"], { mayFail: true, timeout: 60_000 });
  return code === 0 && /\d+\./.test(stdout);
}

/** Throws if a program that an environment variable names does not run. */
export async function checkNamed(variable) {
  const path = process.env[variable];
  if (path && !(await runs(path))) {
    throw new Problem(`${variable} is ${path}, which does not run.`, `Correct or unset ${variable}.`);
  }
}
