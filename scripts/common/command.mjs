/** Runs other programs. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { logs, toolPath } from "./paths.mjs";
import { Problem } from "./problem.mjs";

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill();
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));

/** The environment of everything we run: our tools first on `PATH`. */
export const environment = (extra = {}) => ({ ...process.env, PATH: toolPath(), ...extra });

/** The part of an output that says what went wrong: from the first error on, else its end. */
function excerpt(output) {
  const lines = output.trimEnd().split("\n");
  const first = lines.findIndex((line) => /^(error|npm error|ERROR)\b|: error TS/.test(line));
  return first < 0 ? lines.slice(-15) : lines.slice(first, first + 40);
}

/**
 * Runs a program to its end.
 *
 * @param {string} program name on `PATH`, or a path
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env] added to the environment
 * @param {string} [options.log] keep the output in this log file and, on failure, show its end
 * @param {boolean} [options.show] copy the output to the terminal as it comes
 * @param {boolean} [options.mayFail] resolve with the code instead of rejecting
 * @param {number} [options.timeout] milliseconds
 * @param {string} [options.next] what to do when it fails
 * @returns {Promise<{ code: number, reason?: string, stdout: string, stderr: string }>} `reason`: how it failed, where it may
 */
export function run(program, args, options = {}) {
  const { cwd, env, log, show = false, mayFail = false, timeout, next } = options;
  return new Promise((resolve, reject) => {
    const shell = process.platform === "win32";
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(program, args, { cwd, env: environment(env), stdio, shell, timeout });
    running.add(child);
    const output = { stdout: "", stderr: "" };
    let file;
    if (log) {
      mkdirSync(logs, { recursive: true });
      file = createWriteStream(join(logs, `${log}.log`));
      file.write(`$ ${[program, ...args].join(" ")}\n`);
    }
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        output[name] += text;
        file?.write(text);
        if (show) process[name].write(text);
      });
    }
    const fail = (code, reason) => {
      if (mayFail) return resolve({ code, reason, ...output });
      const tail = excerpt(output.stderr || output.stdout).join("\n    ");
      const where = log ? `\n    The whole output: ${join(logs, `${log}.log`)}` : "";
      reject(new Problem(`\`${[program, ...args].join(" ")}\` ${reason}.${tail ? `\n    ${tail}` : ""}${where}`, next));
    };
    child.on("error", (error) => {
      running.delete(child);
      file?.end();
      fail(127, error.code === "ENOENT" ? "could not be found" : `could not be run (${error.message})`);
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      file?.end();
      if (code === 0) resolve({ code, ...output });
      // A program may end in its own way when it is told that its time is up.
      else if (timeout !== undefined && child.killed) fail(code ?? 1, `was stopped after ${timeout / 60_000} minutes`);
      else fail(code ?? 1, signal ? `was stopped by ${signal}` : `ended with code ${code}`);
    });
  });
}

/** The path of the first of these programs that is on `PATH`, or undefined. */
export async function find(...programs) {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const program of programs) {
    for (const folder of toolPath().split(delimiter)) {
      for (const ending of endings) {
        const path = join(folder, program + ending);
        const found = await access(path, constants.X_OK).then(
          () => true,
          () => false,
        );
        if (found) return path;
      }
    }
  }
  return undefined;
}
