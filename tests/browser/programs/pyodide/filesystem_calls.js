/** Calls of Emscripten's FS that programs make beyond reading and writing. */
export default async ({ pyodide, say, fails, where }) => {
  const { FS } = pyodide;
  FS.mkdirTree("/calls/sub");
  FS.writeFile("/calls/f", new Uint8Array([1, 2, 3]), { canOwn: true });
  FS.writeFile("/calls/f", "é", { encoding: "utf8", flags: "a" });
  say(FS.readFile("/calls/f"), FS.readFile("/calls/f", { encoding: "binary" }), FS.readdir("/calls").sort());
  FS.writeFile("/calls/g", new Int8Array([1, -2]));
  FS.writeFile("/calls/h", new DataView(new ArrayBuffer(2)));
  FS.writeFile("/calls/part", new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
  say(FS.readFile("/calls/g"), FS.readFile("/calls/h"), FS.readFile("/calls/part"));
  await fails(() => FS.writeFile("/calls/i", new ArrayBuffer(2)));
  await fails(() => FS.writeFile("/calls/i", 5));
  await fails(() => FS.readFile("/calls/f", { encoding: "latin1" }));
  await fails(() => FS.mkdirTree("/calls/f/x"));
  const { path, node } = FS.lookupPath("/calls/sub", {});
  say(
    path,
    node.name,
    FS.getPath(node),
    node.isFolder,
    node.isDevice,
    FS.isMountpoint(node),
    FS.isRoot(FS.root),
    FS.isRoot(node),
  );
  say(FS.lookupPath("/calls/none", { parent: true }).path);
  await fails(() => FS.lookupPath("/calls/none/none"));
  const { exists, isRoot, name, object, parentExists, parentPath, error } = FS.analyzePath("/calls/f");
  say(
    exists,
    isRoot,
    name,
    object.mode,
    parentExists,
    parentPath,
    error,
    FS.analyzePath("/nowhere/x").error,
    FS.analyzePath("/").isRoot,
  );
  FS.createPath("/calls", "made/of/many", true, true);
  FS.createDataFile("/calls/made", "data.bin", "text", true, true);
  FS.createDataFile("/calls/made", "bytes.bin", [1, 2], true, false, false);
  say(
    FS.readdir("/calls/made").sort(),
    FS.readFile("/calls/made/data.bin", { encoding: "utf8" }),
    FS.readFile("/calls/made/bytes.bin"),
    FS.stat("/calls/made/bytes.bin").mode,
  );
  await new Promise((resolve, reject) => {
    FS.createPreloadedFile("/calls/made", "pre.bin", new Uint8Array([7, 8]), true, true, resolve, reject, false, true);
  });
  await new Promise((resolve, reject) => {
    FS.createPreloadedFile("/calls/made", "fetched.js", "/programs/worker.js", true, true, resolve, reject);
  });
  say(FS.readFile("/calls/made/pre.bin"), FS.readFile("/calls/made/fetched.js", { encoding: "utf8" }).slice(0, 6));
  const listed = FS.open("/calls/made/listed", "w+");
  say(FS.write(listed, [1, 2, 300, "65", 4], 1, 3), FS.write(listed, [5, 6], 0, 2));
  FS.close(listed);
  say(FS.readFile("/calls/made/listed"));
  const input = [72, 105, 10, null];
  const out = [];
  const device = FS.createDevice(
    "/dev",
    "talks",
    () => input.shift(),
    (code) => out.push(code),
  );
  say(device.rdev > 0, pyodide.runPython("open('/dev/talks').read()"));
  pyodide.runPython("with open('/dev/talks', 'wb', 0) as f: f.write(b'abc')");
  say(out, FS.isChrdev(FS.stat("/dev/talks").mode), typeof FS.createDevice.major);
  await fails(() => {
    FS.createLazyFile("/calls", "lazy.js", "/programs/worker.js", true, false);
    say(where, pyodide.runPython("open('/calls/lazy.js').read(6)"));
    throw new Error("done");
  });
  const stream = FS.open("/calls/s", "w+", 0o640);
  say(
    stream.fd > 2,
    FS.getStream(stream.fd) === stream,
    FS.isClosed(stream),
    stream.path,
    stream.position,
    stream.flags,
  );
  FS.write(stream, new Uint8Array([1, 2, 3, 4, 5]), 1, 3, 0);
  FS.allocate?.(stream, 0, 10);
  FS.ftruncate(stream.fd, 2);
  FS.fchmod(stream.fd, 0o600);
  say(FS.llseek(stream, -1, 2), FS.stat("/calls/s").size, FS.stat("/calls/s").mode.toString(8));
  FS.close(stream);
  say(FS.isClosed(stream));
  await fails(() => FS.close(stream));
  say(pyodide.runPython("import os; fd = os.open('/calls/fd', os.O_CREAT | os.O_RDWR); os.write(fd, b'xy'); fd") > 2);
  const shared = FS.getStream(pyodide.globals.get("fd"));
  say(shared.path, FS.llseek(shared, 0, 0), FS.read(shared, new Uint8Array(2), 0, 2));
  FS.closeStream(shared.fd);
  await fails(() => pyodide.runPython("os.read(fd, 1)"));
  FS.symlink("/calls/f", "/calls/link");
  say(
    FS.readlink("/calls/link"),
    FS.lstat("/calls/link").size,
    FS.isLink(FS.lstat("/calls/link").mode),
    FS.stat("/calls/link").size,
  );
  FS.lchmod?.("/calls/link", 0o777);
  FS.chown("/calls/f", 1, 1);
  const stat = FS.stat("/calls/f");
  say(
    Object.keys(stat).sort(),
    stat.uid,
    stat.gid,
    stat.nlink,
    stat.blksize,
    stat.blocks,
    stat.mtime instanceof Date,
    typeof stat.ino,
  );
  for (const mode of ["r", "r+", "w", "wx", "a", "ax", "a+", "zz"]) {
    await fails(() => {
      FS.close(FS.open("/calls/modes", mode));
      throw new Error(`${mode} opened, ${FS.stat("/calls/modes").size}`);
    });
    if (mode === "r+") FS.writeFile("/calls/modes", "four");
  }
  say(
    FS.getMounts(FS.root.mount).length > 0,
    FS.root.mount.mountpoint,
    FS.cwd(),
    FS.nameTable !== undefined,
    FS.currentPath,
  );
  const mounted = FS.mount(FS.filesystems.MEMFS, { root: "." }, "/calls/sub");
  say(mounted.name, FS.isMountpoint(FS.lookupPath("/calls/sub", { follow_mount: false }).node));
  await fails(() => FS.mount(FS.filesystems.MEMFS, {}, "/calls/sub"));
  await fails(() => FS.mount(FS.filesystems.MEMFS, {}, "/no/such"));
  await fails(() => FS.mount(FS.filesystems.MEMFS, {}, "/calls/f"));
  FS.unmount("/calls/sub");
  await fails(() => FS.unmount("/calls/sub"));
  for (const [call, ...args] of [
    ["rename", "/calls/none", "/calls/x"],
    ["rename", "/calls", "/calls/sub/x"],
    ["rename", "/calls/f", "/calls/made"],
    ["symlink", "/a", "/calls/f"],
    ["readlink", "/calls/f"],
    ["truncate", "/calls", 1],
    ["truncate", "/calls/f", -1],
    ["unlink", "/calls"],
    ["rmdir", "/calls/f"],
    ["chdir", "/calls/f"],
    ["chdir", "/none"],
    ["stat", ""],
    ["mkdir", ""],
    ["mkdir", "/calls/a/b"],
    ["mknod", "/calls/f", 0o100644, 0],
    ["utime", "/none", 1, 1],
    ["chmod", "/none", 1],
  ]) {
    await fails(() => FS[call](...args));
  }
  say(FS.mkdir("relative").name, FS.analyzePath("/home/pyodide/relative").exists, FS.create("/calls/created").name);
  say(FS.mknod("/calls/node", 0o100644, 0).name, FS.readdir("/calls").sort(), FS.genericErrors !== undefined);
  // A file system of the program's own, as those have that show a server's files.
  const contents = new TextEncoder().encode("from elsewhere");
  const own = {
    mount: () => own.node(null, "/", 0o40777),
    node: (parent, nodeName, mode) => {
      const made = FS.createNode(parent, nodeName, mode, 0);
      made.node_ops = {
        getattr: (of) => ({
          dev: 1,
          ino: of.id,
          mode: of.mode,
          nlink: 1,
          uid: 0,
          gid: 0,
          rdev: 0,
          size: contents.length,
          atime: new Date(0),
          mtime: new Date(0),
          ctime: new Date(0),
          blksize: 4096,
          blocks: 1,
        }),
        lookup: (of, file) => {
          if (file !== "there.txt") throw new FS.ErrnoError(pyodide.ERRNO_CODES.ENOENT);
          return own.node(of, file, 0o100644);
        },
        readdir: () => [".", "..", "there.txt"],
      };
      made.stream_ops = {
        open() {},
        close() {},
        llseek: (opened, offset, whence) =>
          whence === 0 ? offset : whence === 1 ? opened.position + offset : contents.length + offset,
        read: (_, buffer, offset, length, position) => {
          const part = contents.subarray(position, position + length);
          buffer.set(part, offset);
          return part.length;
        },
      };
      return made;
    },
  };
  FS.mkdir("/own");
  FS.mount(own, {}, "/own");
  say(pyodide.runPython("[os.listdir('/own'), open('/own/there.txt').read(), os.path.exists('/own/other')]").toJs());
  FS.unmount("/own");
};
