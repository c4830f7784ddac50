/** A site with packages of its own choice: the lock file is changed, packages are loaded, and looked at. */

import type { Lockfile, LockfileInfo, LockfilePackage, PackageData, PyodideAPI } from "pyodide";
import * as stock from "pyodide";
import type { Program } from "./program";

const module: typeof import("pyodide") = stock;

function pinned(lock: Lockfile, names: readonly string[]): Lockfile {
  const info: LockfileInfo = { ...lock.info };
  const packages: Record<string, LockfilePackage> = {};
  for (const name of names) {
    const entry = lock.packages[name];
    if (entry) packages[name] = { ...entry, depends: entry.depends.filter((other) => names.includes(other)) };
  }
  return { info, packages };
}

function summary(loaded: PackageData[]): string[] {
  return loaded
    .map(({ name, version, fileName, packageType }) => `${name} ${version} ${fileName} ${packageType}`)
    .sort();
}

async function messages(load: (say: (text: string) => void) => Promise<PackageData[]>): Promise<unknown[]> {
  const said: string[] = [];
  const loaded = await load((text) => said.push(text));
  return [summary(loaded), said];
}

export const main: Program = async (indexURL, say) => {
  const lock = (await (await fetch(`${indexURL}pyodide-lock.json`)).json()) as Lockfile;
  const pyodide: PyodideAPI = await module.loadPyodide({
    indexURL,
    lockFileContents: Promise.resolve(pinned(lock, ["six", "python-dateutil", "idna"])),
    packageBaseUrl: indexURL,
    packages: ["six"],
    checkAPIVersion: true,
  });
  say(Object.entries(pyodide.loadedPackages), pyodide.lockfile.info.arch, Object.keys(pyodide.lockfile.packages));
  say(pyodide.lockfileBaseUrl?.endsWith("/python/"));
  say(
    await messages((messageCallback) =>
      pyodide.loadPackage(["python-dateutil"], { messageCallback, checkIntegrity: true }),
    ),
  );
  say(await messages((messageCallback) => pyodide.loadPackagesFromImports("import idna, json", { messageCallback })));
  const names = pyodide.toPy(["six", "idna"]);
  say(await messages((messageCallback) => pyodide.loadPackage(names, { messageCallback })));
  try {
    await pyodide.loadPackage("numpy");
  } catch (error) {
    say((error as Error).message);
  }
  say(pyodide.runPython("import dateutil, idna, six; [m.__name__ for m in (dateutil, idna, six)]").toJs());
};
