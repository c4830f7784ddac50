/** An editor's files: written, listed, kept for the next visit, packed and downloaded. */
import { loadPyodide } from "pyodide";
import type { Program } from "./program";

type Interpreter = Awaited<ReturnType<typeof loadPyodide>>;
type FS = Interpreter["FS"];
type Tree = { [name: string]: string | Uint8Array | Tree };

interface Upload {
  path: string;
  stream: ReturnType<FS["open"]>;
}

function write(fs: FS, path: string, data: string | ArrayBufferView, options?: Parameters<FS["writeFile"]>[2]): void {
  fs.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  fs.writeFile(path, data, options);
}

function read(fs: FS, path: string): Tree {
  const tree: Tree = {};
  for (const name of fs.readdir(path)) {
    if (name === "." || name === "..") continue;
    const { mode } = fs.stat(`${path}/${name}`);
    if (fs.isDir(mode)) tree[name] = read(fs, `${path}/${name}`);
    else if (fs.isFile(mode)) tree[name] = fs.readFile(`${path}/${name}`, { encoding: "utf8" });
  }
  return tree;
}

const synchronise = (fs: FS, populate: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    fs.syncfs(populate, (error: unknown) => (error ? reject(error) : resolve()));
  });

function upload(fs: FS, path: string, chunks: Uint8Array[]): Upload {
  const stream = fs.open(path, "w", 0o644);
  for (const chunk of chunks) fs.write(stream, chunk, 0, chunk.length);
  fs.close(stream);
  return { path, stream };
}

export const main: Program = async (indexURL, say) => {
  const pyodide = await loadPyodide({
    indexURL,
    fsInit: async (fs, { sitePackages }) => fs.writeFile(`${sitePackages}/at_start.py`, "there = True"),
  });
  const fs = pyodide.FS;
  fs.mkdir("/kept");
  fs.mount(fs.filesystems.IDBFS, { autoPersist: false }, "/kept");
  await synchronise(fs, true);
  write(fs, "/kept/project/main.py", "print('main')\n");
  write(fs, "/kept/project/data/numbers.bin", new Uint16Array([1, 2, 3]), { canOwn: true });
  await synchronise(fs, false);
  fs.unmount("/kept");
  say(fs.readdir("/kept"));
  fs.mount(fs.filesystems.IDBFS, {}, "/kept");
  await synchronise(fs, true);
  say(read(fs, "/kept"), fs.analyzePath("/kept/project/data").exists);
  say(upload(fs, "/home/pyodide/upload.txt", [new Uint8Array([104]), new Uint8Array([105])]).path);
  const file = new Blob([fs.readFile("/home/pyodide/upload.txt")], { type: "text/plain" });
  say(await file.text(), fs.stat("/home/pyodide/upload.txt").mtime instanceof Date);
  const packed = pyodide
    .runPython("import shutil; open(shutil.make_archive('/tmp/p', 'zip', '/kept'), 'rb').read()")
    .toJs();
  pyodide.unpackArchive(packed, "zip", { extractDir: "/unpacked" });
  say(fs.readdir("/unpacked/project").sort(), pyodide.runPython("import at_start; at_start.there"));
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(`workspace-${Math.random()}`, { create: true });
  const native = await pyodide.mountNativeFS("/native", folder);
  pyodide.runPython("with open('/native/from_python.txt', 'w') as f: f.write('kept')");
  await native.syncfs();
  say(await (await (await folder.getFileHandle("from_python.txt")).getFile()).text());
  await root.removeEntry(folder.name, { recursive: true });
  try {
    fs.readFile("/none");
  } catch (error) {
    say(error instanceof fs.ErrnoError, (error as { errno: number }).errno === pyodide.ERRNO_CODES.ENOENT);
  }
};
