/** The types of `pyodide.FS`, Emscripten's file system. */
import type { Dynamic } from "./pyodide_ffi.js";

/** What `FS.stat` gives. */
export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blksize: number;
  blocks: number;
  atime: Date;
  mtime: Date;
  ctime: Date;
}

/** What `FS` throws: an error number of `pyodide.ERRNO_CODES`. */
export interface ErrnoError extends Error {
  errno: number;
}

/** The functions of a device. */
export interface DeviceOperations {
  open?(stream: Dynamic): void;
  close?(stream: Dynamic): void;
  fsync?(stream: Dynamic): void;
  read?(stream: Dynamic, buffer: Uint8Array, offset: number, length: number, position: number): number;
  write?(stream: Dynamic, buffer: Uint8Array, offset: number, length: number, position: number): number;
  llseek?(stream: Dynamic, offset: number, whence: number): number;
}

/** Emscripten's file system API. Nodes and streams are Emscripten's, and differ from release to release. */
export interface FSType {
  filesystems: Dynamic;
  ErrnoError: new (errno: number) => ErrnoError;
  readFile(path: string, options: { encoding: "utf8"; flags?: string | undefined }): string;
  readFile(path: string, options?: { encoding?: "binary"; flags?: string | undefined }): Uint8Array<ArrayBuffer>;
  writeFile(
    path: string,
    data: Dynamic,
    options?: { canOwn?: boolean; flags?: string | undefined; mode?: number },
  ): void;
  mkdir(path: string, mode?: number): Dynamic;
  mkdirTree(path: string, mode?: number): void;
  rmdir(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  readdir(path: string): string[];
  readlink(path: string): string;
  symlink(target: string, path: string): Dynamic;
  stat(path: string, dontFollow?: boolean): Stat;
  lstat(path: string): Stat;
  chmod(path: string, mode: number, dontFollow?: boolean): void;
  chown(path: string, user: number, group: number, dontFollow?: boolean): void;
  utime(path: string, accessed: number, modified: number): void;
  truncate(path: string, length: number): void;
  open(path: string, flags: string | number, mode?: number): Dynamic;
  close(stream: Dynamic): void;
  closeStream(descriptor: number): void;
  llseek(stream: Dynamic, offset: number, whence: number): number;
  read(stream: Dynamic, buffer: ArrayBufferView, offset: number, length: number, position?: number): number;
  write(
    stream: Dynamic,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    position?: number,
    canOwn?: boolean,
  ): number;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  isLink(mode: number): boolean;
  cwd(): string;
  chdir(path: string): void;
  mount(type: Dynamic, options: Dynamic, mountPoint: string): Dynamic;
  unmount(mountPoint: string): void;
  isMountpoint(node: Dynamic): boolean;
  syncfs(populate: boolean, callback: (error: Dynamic) => Dynamic): void;
  syncfs(callback: (error: Dynamic) => Dynamic, populate?: boolean): void;
  lookupPath(path: string, options?: object): { path: string; node: Dynamic };
  getPath(node: Dynamic): string;
  analyzePath(path: string, dontResolveLastLink?: boolean): Dynamic;
  createDevice: {
    (
      parent: string,
      name: string,
      input?: (() => number | null) | null,
      output?: ((code: number) => void) | null,
    ): Dynamic;
    /** The number that the next device gets. */
    major: number;
  };
  registerDevice(device: number, operations: DeviceOperations): void;
  makedev(major: number, minor: number): number;
  mkdev(path: string, mode?: number, device?: number): Dynamic;
  [more: string]: Dynamic;
}
