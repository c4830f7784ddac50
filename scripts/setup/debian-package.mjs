/** Fetches a Debian package without installing it and without touching the system's own sources. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { find, run } from "../common/command.mjs";
import { Problem } from "../common/problem.mjs";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The archives of Debian that this machine's apt is configured to use. */
async function mirrors() {
  const { stdout } = await run("apt-get", [
    "indextargets",
    "--format",
    "$(ORIGIN)\t$(REPO_URI)",
    "Created-By: Packages",
  ]);
  const all = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t"));
  const uris = all.filter(([origin]) => origin === "Debian" || origin.startsWith("$(")).map(([, uri]) => uri);
  const unique = [...new Set(uris.length > 0 ? uris : all.map(([, uri]) => uri))];
  // The security archive has only what was repaired.
  return unique.sort((a, b) => Number(a.includes("security")) - Number(b.includes("security")));
}

/**
 * Downloads a package in the version wanted from one of `suites`; apt checks signature and hash.
 *
 * @param {string} name
 * @param {(version: string) => boolean} isWanted
 * @param {string[]} suites in the order in which to look
 * @param {string} folder an empty folder for apt's lists, its cache and the package
 * @returns {Promise<string>} the path of the `.deb`
 */
export async function fetchDebianPackage(name, isWanted, suites, folder) {
  if (!(await find("apt-get")) || !(await find("dpkg-deb"))) {
    throw new Problem(
      "This is not a Debian-like system: there is no apt-get.",
      "Run `rustup target add` where rustup's servers can be reached.",
    );
  }
  const seen = [];
  for (const mirror of await mirrors()) {
    for (const suite of suites) {
      const place = join(folder, `${seen.length}-${suite}`);
      for (const part of ["lists/partial", "cache/archives/partial", "sources", "preferences"]) {
        await mkdir(join(place, part), { recursive: true });
      }
      const list = join(place, "sources.list");
      await writeFile(list, `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
      await writeFile(join(place, "status"), "");
      const options = Object.entries({
        "Dir::Etc::SourceList": list,
        "Dir::Etc::SourceParts": join(place, "sources"),
        "Dir::Etc::PreferencesParts": join(place, "preferences"),
        "Dir::State::Lists": join(place, "lists"),
        "Dir::State::Status": join(place, "status"),
        "Dir::Cache": join(place, "cache"),
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
      }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
      const update = await run("apt-get", [...options, "update"], {
        mayFail: true,
        log: "apt-update",
        timeout: 300_000,
      });
      const { stdout } = await run("apt-cache", [...options, "madison", name], { mayFail: true });
      const versions = stdout
        .split("\n")
        .map((line) => line.split("|")[1]?.trim())
        .filter(Boolean);
      seen.push(`${suite}: ${versions.join(", ") || (update.code === 0 ? "none" : "not reachable")}`);
      const version = versions.find(isWanted);
      if (!version) continue;
      await run("apt-get", [...options, "download", `${name}=${version}`], { cwd: place, log: "apt-download" });
      const file = (await readdir(place)).find((entry) => entry.endsWith(".deb"));
      if (file) return join(place, file);
    }
  }
  throw new Problem(
    `Debian's archive has no \`${name}\` of the version needed (${seen.join("; ") || "no Debian mirror is configured"}).`,
    "Install the toolchain that rustup calls stable, or run this where rustup's servers can be reached.",
  );
}
