// Compares our versions, specifiers, markers, requirements and tags with Python's `packaging`, and our import scanner
// with Python's `ast`. usage: node tests/differential/run.mjs [SEED]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGING = "26.2";
const seed = process.argv[2] ?? "taipan";
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const cache = process.env.TAIPAN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "taipan");

/** Runs a program whose failure ends everything. */
function must(what, program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: "inherit", ...options });
  if (error || status !== 0) {
    console.error(`${what} failed: ${program} ${args.join(" ")}${error ? `: ${error.message}` : ""}`);
    process.exit(1);
  }
}

/** The folder with the oracle, fetched once. */
function packaging() {
  const folder = join(cache, "differential", `packaging-${PACKAGING}`);
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}.partial`;
    console.log(`fetching packaging ${PACKAGING}, the oracle`);
    const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--target", partial];
    must("fetching packaging with pip (Debian: apt install python3-pip)", "python3", [
      ...pip,
      `packaging==${PACKAGING}`,
    ]);
    try {
      renameSync(partial, folder);
    } catch (error) {
      // Another run was faster.
      rmSync(partial, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return folder;
}

/** Builds the two example programs and returns the folder that they are in. */
function examples() {
  must("building the programs to compare", "cargo", ["build", "--quiet", "-p", "taipan-core", "--examples"], {
    cwd: root,
  });
  const metadata = execFileSync("cargo", ["metadata", "--no-deps", "--offline", "--format-version", "1"], {
    cwd: root,
  });
  return join(JSON.parse(metadata.toString()).target_directory, "debug", "examples");
}

/** The last line of a comparison is its count; what comes before are the disagreements. */
function report(name, { stdout, stderr, status }) {
  const lines = (stdout ?? "").trimEnd().split("\n");
  const count = /^(\d+) passed, (\d+) failed$/.exec(lines.pop() ?? "");
  console.log([`${name}:`, ...lines.slice(0, 60), (stderr ?? "").slice(-2000)].filter(Boolean).join("\n"));
  if (!count || (status !== 0 && count[2] === "0")) return { passed: 0, failed: 1 };
  console.log(count[0]);
  return { passed: Number(count[1]), failed: Number(count[2]) };
}

const limits = { encoding: "utf8", maxBuffer: 1 << 30 };
const oracle = packaging();
const programs = examples();
const cases = spawnSync("python3", [join(here, "cases.py"), oracle, seed], limits);
if (cases.status !== 0) {
  console.error(cases.stderr);
  process.exit(1);
}
const results = [
  report(
    `packaging ${PACKAGING}, seed ${seed}`,
    spawnSync(join(programs, "differential"), { ...limits, input: cases.stdout }),
  ),
];

const stdlib = execFileSync("python3", ["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"])
  .toString()
  .trim();
const distributions = join(cache, "distribution");
const distribution = existsSync(distributions)
  ? readdirSync(distributions).map((version) => join(distributions, version))
  : [];
const scan = [join(here, "imports.py"), join(programs, "find_imports"), stdlib, ...distribution];
results.push(report("ast", spawnSync("python3", scan, { ...limits, cwd: tmpdir() })));

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
