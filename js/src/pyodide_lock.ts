/** The types of a `pyodide-lock.json` and of what is loaded of it. */

/** What a package of a lock file may be. */
export type PackageType = "package" | "cpython_module" | "shared_library" | "static_library";

/** What a lock file is for. */
export interface LockfileInfo {
  arch: "wasm32";
  /** Has to be the distribution's own, such as `"2025_0"`. */
  abi_version: string;
  /** Emscripten's version, such as `"emscripten_4_0_9"`. */
  platform: string;
  /** Pyodide's version. */
  version: string;
  /** Python's version. */
  python: string;
}

/** A package of a lock file. */
export interface LockfilePackage {
  name: string;
  version: string;
  /** An address, or a name in the folder of the packages. */
  file_name: string;
  package_type: PackageType;
  install_dir: "site" | "dynlib";
  sha256: string;
  /** The modules that it has. */
  imports: string[];
  /** The packages that it needs. */
  depends: string[];
}

/** A `pyodide-lock.json`. */
export interface Lockfile {
  info: LockfileInfo;
  packages: Record<string, LockfilePackage>;
}

/** A package that was loaded. */
export interface PackageData {
  name: string;
  version: string;
  fileName: string;
  packageType: PackageType;
}
