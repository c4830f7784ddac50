/** Emscripten's other file systems below the root. */
const synchronised = (FS, populate) =>
  new Promise((resolve, reject) => FS.syncfs(populate, (error) => (error ? reject(error) : resolve())));

export default async ({ pyodide, say, fails, where }) => {
  const { FS } = pyodide;
  say(Object.keys(FS.filesystems).sort());
  for (const name of ["MEMFS", "IDBFS"]) {
    const at = `/mount_${name}`;
    FS.mkdir(at);
    FS.mount(FS.filesystems[name], {}, at);
    pyodide.globals.set("at", at);
    pyodide.runPython(
      "import os\nos.makedirs(at + '/sub/dir')\nwith open(at + '/sub/f.txt', 'w') as f: f.write('in ' + at)",
    );
    say(
      FS.readdir(`${at}/sub`).sort(),
      FS.readFile(`${at}/sub/f.txt`, { encoding: "utf8" }),
      FS.analyzePath(at).exists,
    );
    await fails(() => pyodide.runPython("os.rename(at + '/sub/f.txt', '/home/pyodide/moved')"));
    await synchronised(FS, false);
    FS.unmount(at);
    say(FS.readdir(at));
    FS.mount(FS.filesystems[name], {}, at);
    await synchronised(FS, true);
    say(pyodide.runPython("[sorted(names) + sorted(files) for _, names, files in os.walk(at)]").toJs());
    FS.writeFile(`${at}/module_in_mount.py`, "where = __file__");
    pyodide.runPython(
      "import sys; sys.path.insert(0, at); import importlib; importlib.invalidate_caches(); import module_in_mount",
    );
    say(pyodide.runPython("sys.path.remove(at); del sys.modules['module_in_mount']; module_in_mount.where"));
    FS.unmount(at);
  }
  FS.mkdir("/original");
  FS.writeFile("/original/f", "shared");
  FS.mkdir("/shown");
  FS.mount(FS.filesystems.PROXYFS, { root: "/original", fs: FS }, "/shown");
  say(pyodide.runPython("open('/shown/f').read()"));
  FS.writeFile("/shown/g", "through");
  say(FS.readFile("/original/g", { encoding: "utf8" }));
  FS.unmount("/shown");
  if (where === "worker") {
    FS.mkdir("/work_files");
    const files = [new File(["from a file"], "one.txt"), new File(["2"], "two.txt")];
    FS.mount(
      FS.filesystems.WORKERFS,
      { files, blobs: [{ name: "sub/blob.bin", data: new Blob(["blob"]) }] },
      "/work_files",
    );
    say(
      pyodide
        .runPython(
          "[open('/work_files/one.txt').read(), sorted(os.listdir('/work_files')), open('/work_files/sub/blob.bin').read()]",
        )
        .toJs(),
    );
    FS.unmount("/work_files");
  }
  await fails(() => FS.mount(FS.filesystems.MEMFS, {}, "/"));
};
