#!/usr/bin/env node
/** The command `taipan`. Exit codes: 0 done, 1 a problem, 2 wrong arguments. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bake } from "./bake.mjs";
import { CODING_NAMES, EFFORTS } from "./compress.mjs";
import { progressOn, size } from "./output.mjs";
import { prepare } from "./prepare.mjs";
import { explain, Problem } from "./problem.mjs";
import { names } from "./requirements.mjs";

const HELP = `Usage: taipan prepare DIR --packages NAMES [options]
       taipan bake --out DIR --packages NAMES [options]

prepare makes a folder that a site can serve to Taipan: DIR becomes the \`indexURL\` of \`loadPython\`.
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

bake makes an image: Python as it is when the packages are imported and a program has run. Pages start from it, and
import nothing. It is made in an installed browser. Where DIR is a prepared folder the image becomes part of it.

  --packages NAMES        packages whose modules are imported
  --run FILE.py           a program to run then; what it leaves in variables is there for pages
  --exercise FILE.py      a program that does what pages do first: side modules that it does not call become files beside
                          the image. It leaves nothing in the image. Default: the program of --run
  --distribution PLACE, --wheels PLACE   as above, where DIR is no prepared folder
  --browser PROGRAM       default: CHROME_PATH, or what is found of Chromium, Chrome, Edge and Firefox
  --compress EFFORT, --quiet             as above

  --help, --version

A preparation that was stopped goes on where it was. Documentation: docs/prepare.md and docs/bake.md in the package.`;

const COMMON = {
  packages: { type: "string", multiple: true },
  distribution: { type: "string" },
  wheels: { type: "string" },
  compress: { type: "string" },
  quiet: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
};

/** The options of each command, and what it does. */
const COMMANDS = {
  prepare: {
    options: {
      "index-urls": { type: "string", multiple: true },
      constraints: { type: "string", multiple: true },
      pre: { type: "boolean" },
      "lock-file": { type: "string" },
      exercise: { type: "string" },
      prefetch: { type: "string" },
      "keep-all": { type: "boolean" },
      "base-url": { type: "string" },
    },
    run: runPrepare,
  },
  bake: {
    options: {
      run: { type: "string" },
      exercise: { type: "string" },
      out: { type: "string" },
      browser: { type: "string" },
    },
    run: runBake,
  },
};

class WrongArguments extends Problem {}

function parse(args) {
  const command = args.find((arg) => Object.hasOwn(COMMANDS, arg));
  const options = { ...COMMON, ...COMMANDS[command]?.options };
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new WrongArguments(error.message, "See `taipan --help`.");
  }
  const { compress } = parsed.values;
  if (compress !== undefined && !Object.hasOwn(EFFORTS, compress)) {
    throw new WrongArguments(
      `There is no effort called ${compress}.`,
      `Choose from ${Object.keys(EFFORTS).join(", ")}.`,
    );
  }
  return parsed;
}

async function programFrom(option, path) {
  if (path === undefined) return undefined;
  const source = await readFile(path, "utf8").catch(() => undefined);
  if (source === undefined) throw new Problem(`${path} cannot be read.`, `--${option} names a Python file.`);
  return { source, filename: path };
}

async function ownVersion() {
  // Beside this folder in the repository; in the package there is `dist` between.
  const own = await readFile(new URL("../package.json", import.meta.url), "utf8").catch(() =>
    readFile(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return JSON.parse(own).version;
}

/** The one folder that a command writes. */
function folderFrom(places, example) {
  const [out, ...rest] = places.filter((place) => place !== undefined);
  const next = `As in \`${example}\`; see \`taipan --help\`.`;
  if (out === undefined) throw new WrongArguments("The folder to write is missing.", next);
  if (rest.length > 0) {
    throw new WrongArguments(`What is ${rest.join(" ")} to be? Names of packages have commas between them.`, next);
  }
  return out;
}

async function runPrepare(values, positionals, stream) {
  const out = folderFrom(positionals, "taipan prepare site/python --packages numpy");
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
    exercise: await programFrom("exercise", values.exercise),
    keepAll: values["keep-all"] ?? values["base-url"] !== undefined,
    baseURL: values["base-url"],
    compress: values.compress,
    progress: progressOn(stream),
  });
  if (!isFresh) stream.write(`✓ ${out} is up to date.\n`);
  stream.write(`\n${report}\n\nServe ${out} and give its address as \`indexURL\`.\n`);
}

async function runBake(values, positionals, stream) {
  const out = folderFrom([values.out, ...positionals], "taipan bake --packages numpy --out site/python");
  const { file, bytes, sizes, beside, isPrepared, isFresh } = await bake({
    out,
    packages: names(values.packages),
    distribution: values.distribution,
    wheels: values.wheels,
    program: await programFrom("run", values.run),
    exercise: await programFrom("exercise", values.exercise),
    browser: values.browser,
    compress: values.compress,
    progress: progressOn(stream),
  });
  if (!isFresh) stream.write(`✓ The image of ${out} is up to date.\n`);
  const sent = ({ bytes, ...sizes }) =>
    Object.entries(CODING_NAMES)
      .filter(([suffix]) => sizes[suffix])
      .reduce((text, [suffix, name]) => `${text}, ${name} ${size(sizes[suffix])}`, size(bytes));
  stream.write(`\n  ${file}: ${sent({ bytes, ...sizes })}\n`);
  if (beside.count > 0)
    stream.write(`  ${beside.count} side modules beside it, fetched when they are called: ${sent(beside)}\n`);
  stream.write("\n");
  stream.write(
    isPrepared
      ? `Serve ${out}. Pages that name it as \`indexURL\` start from the image.\n`
      : `Serve ${join(out, file)}, and give its address too:\n  loadPython({ indexURL: "…", image: "…/${file}" })\n`,
  );
}

async function run(args) {
  const { values, positionals } = parse(args);
  if (values.help) return void console.log(HELP);
  if (values.version) return void console.log(await ownVersion());
  const [command, ...rest] = positionals;
  if (!Object.hasOwn(COMMANDS, command ?? "")) {
    throw new WrongArguments(
      command === undefined ? "What to do is missing." : `There is no command called ${command}.`,
      "There are `taipan prepare` and `taipan bake`; see `taipan --help`.",
    );
  }
  if (values.packages === undefined) {
    throw new WrongArguments("--packages is missing.", 'Name them, as in --packages numpy,pandas; "" is none.');
  }
  await COMMANDS[command].run(values, rest, values.quiet ? { write: () => true } : process.stdout);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  explain(error);
  process.exitCode = error instanceof WrongArguments ? 2 : 1;
}
