import { resolveUrl } from "./address.js";
import type { FileStat } from "./boundary.js";
import { badArgument, checkOptions } from "./common_errors.js";
import type { Connection } from "./connection.js";
import type { MountSource } from "./engine.js";
import { LoadError } from "./errors.js";

/**
 * Python's file system. Relative paths start at Python's working directory. Every method rejects with
 * `FileSystemError`, whose `errno` is the one that Python would see.
 */
export class FileSystem {
  readonly #connection: () => Connection;

  /** @internal */
  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  /** The bytes of a file. */
  async readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The text of a file. Bytes that are not UTF-8 become U+FFFD. */
  async readFile(path: string, options: { encoding: "utf8" }): Promise<string>;
  async readFile(path: string, options: { encoding?: "utf8" } = {}): Promise<Uint8Array<ArrayBuffer> | string> {
    checkOptions("readFile", options, ["encoding"]);
    const encoding: unknown = options.encoding;
    if (encoding !== undefined && encoding !== "utf8") {
      throw badArgument("encoding", 'must be "utf8" or absent');
    }
    const bytes = await this.#connection().request("readFile", [checkPath(path)]);
    return encoding === "utf8" ? new TextDecoder().decode(bytes) : bytes;
  }

  /** Writes a file, replacing what it held. Text is written as UTF-8. What is passed stays with the caller. */
  async writeFile(path: string, content: string | Uint8Array | ArrayBuffer): Promise<void> {
    // A copy, so that its buffer can be given away and nothing but the view of a larger buffer is sent.
    const data = copyOf(content);
    await this.#connection().request("writeFile", [checkPath(path), data], { transfer: [data.buffer] });
  }

  /** Makes a directory; with `recursive` its parents too, and no error if it exists. */
  async mkdir(path: string, options: { recursive?: boolean } = {}): Promise<void> {
    checkOptions("mkdir", options, ["recursive"]);
    await this.#connection().request("mkdir", [checkPath(path), options.recursive === true]);
  }

  /** The names in a directory, without `.` and `..`. */
  async readdir(path: string): Promise<string[]> {
    return this.#connection().request("readdir", [checkPath(path)]);
  }

  /** What is known of a file; symbolic links are followed. */
  async stat(path: string): Promise<FileStat> {
    return this.#connection().request("stat", [checkPath(path)]);
  }

  /** What is known of a file or of the symbolic link itself. */
  async lstat(path: string): Promise<FileStat> {
    return this.#connection().request("lstat", [checkPath(path)]);
  }

  /** Renames a file or a directory, replacing a file of the new name. */
  async rename(from: string, to: string): Promise<void> {
    await this.#connection().request("rename", [checkPath(from, "from"), checkPath(to, "to")]);
  }

  /** Removes a file or a symbolic link. */
  async unlink(path: string): Promise<void> {
    await this.#connection().request("unlink", [checkPath(path)]);
  }

  /** Removes an empty directory. */
  async rmdir(path: string): Promise<void> {
    await this.#connection().request("rmdir", [checkPath(path)]);
  }

  /**
   * Shows a file or a folder of the user at a path: a `File`, a `Blob`, bytes, a folder that the user has picked, or
   * what is at a URL. A string is a URL, relative to the page. Rejects with `LoadError` if nothing is there.
   */
  async mount(path: string, source: MountSource | URL | string): Promise<void> {
    checkPath(path);
    const isUrl = typeof source === "string" || source instanceof URL;
    await this.#connection().request("mount", [path, isUrl ? await download(source) : source]);
  }

  /** Ends a mount. */
  async unmount(path: string): Promise<void> {
    await this.#connection().request("unmount", [checkPath(path)]);
  }
}

function checkPath(path: string, option = "path"): string {
  if (typeof path !== "string" || path === "") {
    throw badArgument(option, "must be a path, a string that is not empty");
  }
  return path;
}

function copyOf(content: string | Uint8Array | ArrayBuffer): Uint8Array<ArrayBuffer> {
  if (typeof content === "string") {
    return new TextEncoder().encode(content);
  }
  if (content instanceof Uint8Array || content instanceof ArrayBuffer) {
    return new Uint8Array(content).slice();
  }
  throw badArgument("content", "must be a string, a Uint8Array or an ArrayBuffer");
}

async function download(source: string | URL): Promise<Blob> {
  const url = resolveUrl("source", source);
  let response: Response;
  try {
    response = await fetch(url);
    if (response.ok) {
      return await response.blob();
    }
  } catch (cause) {
    throw new LoadError({ code: "LOAD_NETWORK", message: `${url} cannot be reached`, cause });
  }
  throw new LoadError({ code: "LOAD_HTTP", message: `${url}: the server answered ${response.status}` });
}
