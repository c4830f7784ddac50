/** Where things are: the repository, and the folder that keeps what is downloaded or built once for all clones. */
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** `TAIPAN_CACHE`, or `taipan` in the user's cache folder. */
export const cache =
  process.env.TAIPAN_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "taipan");

/** Where `cargo install` puts wasm-pack and wasm-bindgen. */
export const tools = join(cache, "tools");

/** Files as they came, before anything was taken out of them. May be deleted at any time. */
export const downloads = join(cache, "downloads");

/** What long commands printed. */
export const logs = join(cache, "logs");

/** The folder of a Pyodide release and its wheels, by version. */
export const distributionFolder = (version) => join(cache, "distribution", version);

/** What `taipan prepare` makes of it, for serving. */
export const preparedFolder = (version) => join(cache, "site", version);

/** What belongs to this clone alone: locks and stamps of builds. */
export const localCache = join(root, ".cache");

/** `PATH` with the tools of the set-up first, so that no other wasm-opt or wasm-bindgen is taken. */
export function toolPath() {
  const separator = process.platform === "win32" ? ";" : ":";
  return [join(tools, "bin"), join(root, "node_modules", ".bin"), process.env.PATH].filter(Boolean).join(separator);
}
