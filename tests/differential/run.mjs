// Compares our versions, specifiers, markers, requirements and tags with Python's `packaging`, and our import scanner
// with Python's `ast`; reads images that we write with a second reader. usage: node tests/differential/run.mjs [SEED]
import { execFileSync, spawn, spawnSync } from "node:child_process";
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

/** Builds the example programs and returns the folder that they are in. */
function examples() {
  must("building the programs to compare", "cargo", ["build", "--quiet", "-p", "taipan-core", "--examples"], {
    cwd: root,
  });
  const metadata = execFileSync("cargo", ["metadata", "--no-deps", "--offline", "--format-version", "1"], {
    cwd: root,
  });
  return join(JSON.parse(metadata.toString()).target_directory, "debug", "examples");
}

/** Runs a program to its end. */
function run(program, args, input = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: tmpdir() });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        output[name] += text;
      });
    }
    child.on("error", reject).on("close", (status) => resolve({ ...output, status }));
    // A program that ends before it has read everything says why by its status.
    child.stdin.on("error", () => {}).end(input);
  });
}

/** The last line of a comparison is its count; what comes before are the disagreements. */
function report(name, { stdout, stderr, status }) {
  const lines = stdout.trimEnd().split("\n");
  const count = /^(\d+) passed, (\d+) failed$/.exec(lines.pop() ?? "");
  console.log([`${name}:`, ...lines.slice(0, 60), stderr.slice(-2000)].filter(Boolean).join("\n"));
  if (!count || (status !== 0 && count[2] === "0")) return { passed: 0, failed: 1 };
  console.log(count[0]);
  return { passed: Number(count[1]), failed: Number(count[2]) };
}

async function comparePackaging(oracle, programs) {
  const cases = await run("python3", [join(here, "cases.py"), oracle, seed]);
  if (cases.status !== 0) return cases;
  return run(join(programs, "differential"), [], cases.stdout);
}

function compareAst(programs) {
  const stdlib = execFileSync("python3", ["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]);
  const distributions = join(cache, "distribution");
  const versions = existsSync(distributions) ? readdirSync(distributions) : [];
  const places = [stdlib.toString().trim(), ...versions.map((version) => join(distributions, version))];
  return run("python3", [join(here, "imports.py"), join(programs, "find_imports"), ...places]);
}

async function compareImages(programs) {
  const images = await run(join(programs, "write_image"), [seed]);
  if (images.status !== 0) return images;
  return run("python3", [join(here, "image.py")], images.stdout);
}

const oracle = packaging();
const programs = examples();
const [withPackaging, withAst, withImages] = await Promise.all([
  comparePackaging(oracle, programs),
  compareAst(programs),
  compareImages(programs),
]);
const results = [
  report(`packaging ${PACKAGING}, seed ${seed}`, withPackaging),
  report("ast", withAst),
  report(`images, seed ${seed}`, withImages),
];
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
