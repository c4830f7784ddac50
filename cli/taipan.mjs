#!/usr/bin/env node
/** The command `taipan`. Exit codes: 0 done, 1 a problem, 2 wrong arguments. */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { progressOn } from "./output.mjs";
import { prepare } from "./prepare.mjs";
import { explain, Problem } from "./problem.mjs";
import { names } from "./requirements.mjs";

const HELP = `Usage: taipan prepare DIR --packages NAMES [options]

Makes a folder that a site can serve to Taipan: DIR becomes the \`indexURL\` of \`loadPython\`.
It holds the interpreter, the standard library and the packages named with all they need, with bytecode,
side modules as files of their own, compressed forms of every file, and a manifest with sizes and hashes.

  --packages NAMES        with commas between: names (numpy), requirements ("pandas>=2,<3", "rich[jupyter]"), addresses
                          and paths of wheels (./mine-1.0-py3-none-any.whl); "*" is all that the lock file has.
                          May be given several times
  --index-urls URLS       indexes for what the lock file does not have; default: https://pypi.org/simple; "" is none
  --constraints NAMES     requirements that only restrict versions, with commas between
  --pre                   take pre-releases like all other versions
  --lock-file PLACE       path or address of a lock file instead of the distribution's, as python.freeze() gives it
  --distribution PLACE    folder or address of a Pyodide release; default: npm's package \`pyodide\`
  --wheels PLACE          folder or address of its wheels, where they are not there
  --exercise FILE.py      a program to run: what it reads belongs to what a page gets at once
  --prefetch NAMES        packages that pages begin to fetch while Python starts, before anything asks for them
  --keep-all              other packages of the release stay loadable, from where they are published
  --base-url URL          from there instead
  --compress EFFORT       best (default), fast or none
  --quiet                 say nothing but problems
  --help, --version

A run that was stopped goes on where it was. Documentation: docs/prepare.md of the package's repository.`;

const OPTIONS = {
  packages: { type: "string", multiple: true },
  "index-urls": { type: "string", multiple: true },
  constraints: { type: "string", multiple: true },
  pre: { type: "boolean" },
  "lock-file": { type: "string" },
  distribution: { type: "string" },
  wheels: { type: "string" },
  exercise: { type: "string" },
  prefetch: { type: "string" },
  "keep-all": { type: "boolean" },
  "base-url": { type: "string" },
  compress: { type: "string" },
  quiet: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
};

class WrongArguments extends Problem {}

function parse(args) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new WrongArguments(error.message, "See `taipan --help`.");
  }
}

async function exerciseFrom(path) {
  if (path === undefined) return undefined;
  const source = await readFile(path, "utf8").catch(() => undefined);
  if (source === undefined) throw new Problem(`${path} cannot be read.`, "--exercise names a Python file.");
  return { source, filename: path };
}

async function run(args) {
  const { values, positionals } = parse(args);
  if (values.help) return void console.log(HELP);
  if (values.version) {
    // Beside this folder in the repository; in the package there is `dist` between.
    const own = await readFile(new URL("../package.json", import.meta.url), "utf8").catch(() =>
      readFile(new URL("../../package.json", import.meta.url), "utf8"),
    );
    return void console.log(JSON.parse(own).version);
  }
  const [command, out, ...rest] = positionals;
  if (command !== "prepare") {
    throw new WrongArguments(
      command === undefined ? "What to do is missing." : `There is no command called ${command}.`,
      "The one there is is `taipan prepare`; see `taipan --help`.",
    );
  }
  if (out === undefined) throw new WrongArguments("The folder to write is missing.", "See `taipan --help`.");
  if (rest.length > 0) {
    const next = "One folder is written; names of packages have commas between them: --packages numpy,pandas.";
    throw new WrongArguments(`What is ${rest.join(" ")} to be?`, next);
  }
  if (values.packages === undefined) {
    throw new WrongArguments("--packages is missing.", 'Name them, as in --packages numpy,pandas; "" is none.');
  }
  const stream = values.quiet ? { write: () => true } : process.stdout;
  const { isFresh, report } = await prepare({
    out,
    packages: names(values.packages),
    constraints: names(values.constraints),
    indexURLs: values["index-urls"] && names(values["index-urls"]),
    pre: values.pre,
    lockFile: values["lock-file"],
    distribution: values.distribution,
    wheels: values.wheels,
    prefetch: names(values.prefetch),
    exercise: await exerciseFrom(values.exercise),
    keepAll: values["keep-all"] ?? values["base-url"] !== undefined,
    baseURL: values["base-url"],
    compress: values.compress,
    progress: progressOn(stream),
  });
  if (!isFresh) stream.write(`✓ ${out} is up to date.\n`);
  stream.write(`\n${report}\n\nServe ${out} and give its address as \`indexURL\`.\n`);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  explain(error);
  process.exitCode = error instanceof WrongArguments ? 2 : 1;
}
