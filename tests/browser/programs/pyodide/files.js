/** Emscripten's FS and Python's os on one file system. */
export default async ({ pyodide, say, fails }) => {
  const { FS, PATH } = pyodide;
  FS.writeFile("/home/pyodide/a.txt", "first\nsecond é\n");
  say(pyodide.runPython("open('a.txt', encoding='utf8').read()"));
  pyodide.runPython("from pathlib import Path\nPath('b.bin').write_bytes(bytes(range(5)))");
  say(FS.readFile("/home/pyodide/b.bin"), FS.readFile("a.txt", { encoding: "utf8" }));
  FS.mkdirTree("/data/deep/er");
  FS.writeFile("/data/deep/er/x.py", "value = 42\n");
  say(FS.readdir("/data/deep").sort(), FS.isDir(FS.stat("/data").mode), FS.stat("/data/deep/er/x.py").size);
  say(
    pyodide
      .runPython("import os; [sorted(os.listdir('/data/deep')), os.path.isdir('/data'), os.stat('b.bin').st_size]")
      .toJs(),
  );
  FS.symlink("/data/deep/er/x.py", "/data/link.py");
  say(
    FS.readlink("/data/link.py"),
    FS.isLink(FS.lstat("/data/link.py").mode),
    pyodide.runPython("open('/data/link.py').read()"),
  );
  FS.rename("/data/link.py", "/data/renamed.py");
  say(FS.analyzePath("/data/renamed.py").exists, FS.analyzePath("/data/link.py").exists, FS.readdir("/data").sort());
  pyodide.runPython("import sys; sys.path.append('/data/deep/er'); import x as imported_x");
  say(pyodide.runPython("[imported_x.value, imported_x.__file__]").toJs());
  const stream = FS.open("/data/stream", "w+");
  FS.write(stream, new Uint8Array([1, 2, 3, 4]), 0, 4);
  FS.llseek(stream, 1, 0);
  const read = new Uint8Array(2);
  say(FS.read(stream, read, 0, 2), read);
  FS.close(stream);
  FS.truncate("/data/stream", 2);
  FS.chmod("/data/stream", 0o600);
  FS.utime("/data/stream", 1_000_000_000_000, 1_000_000_000_000);
  say(FS.readFile("/data/stream"), FS.stat("/data/stream").mode.toString(8), FS.stat("/data/stream").mtime.getTime());
  FS.unlink("/data/stream");
  for (const call of [
    () => FS.readFile("/nothing"),
    () => FS.mkdir("/data"),
    () => FS.rmdir("/data"),
    () => FS.readdir("/data/renamed.py"),
    () => FS.unlink("/nothing"),
  ]) {
    try {
      call();
      say("it did not fail");
    } catch (error) {
      say(error.name, error.errno, error instanceof FS.ErrnoError);
    }
  }
  await fails(() => pyodide.runPython("open('/nothing')"));
  FS.chdir("/data");
  say(FS.cwd(), pyodide.runPython("os.getcwd()"));
  FS.chdir("/home/pyodide");
  const device = FS.makedev(64, 0);
  const written = [];
  FS.registerDevice(device, {
    open(opened) {
      opened.seekable = false;
    },
    write: (_, bytes, offset, length) => {
      written.push(...bytes.subarray(offset, offset + length));
      return length;
    },
  });
  FS.mkdev("/dev/mine", device);
  pyodide.runPython("with open('/dev/mine', 'wb', 0) as f: f.write(b'hi')");
  say(
    written,
    PATH.basename("/a/b.c"),
    PATH.join("/a", "../b"),
    pyodide.ERRNO_CODES.ENOENT,
    FS.readdir("/").includes("lib"),
  );
  say(
    pyodide
      .runPython(
        "import tempfile, shutil\nwith tempfile.TemporaryDirectory() as d:\n  shutil.copytree('/data', d + '/copy', symlinks=True)\n  found = sorted(os.listdir(d + '/copy'))\nfound",
      )
      .toJs(),
  );
};
