/** mountNativeFS with the origin private file system. */
export default async ({ pyodide, say, fails, where }) => {
  const { FS } = pyodide;
  const root = await navigator.storage.getDirectory();
  const name = `native-${where}-${Math.random()}`;
  const handle = await root.getDirectoryHandle(name, { create: true });
  const put = async (folder, file, text) => {
    const writable = await (await folder.getFileHandle(file, { create: true })).createWritable();
    await writable.write(text);
    await writable.close();
  };
  const list = async (folder) => {
    const found = [];
    for await (const [key, child] of folder.entries()) {
      found.push(child.kind === "directory" ? [key, await list(child)] : [key, await (await child.getFile()).text()]);
    }
    return found.sort();
  };
  await put(handle, "there.txt", "was there");
  await put(await handle.getDirectoryHandle("sub", { create: true }), "inner.txt", "inner");
  const native = await pyodide.mountNativeFS("/native/mount", handle);
  say(FS.readdir("/native/mount").sort(), pyodide.runPython("open('/native/mount/sub/inner.txt').read()"));
  pyodide.runPython(`
    import os
    with open('/native/mount/new.txt', 'w') as f: f.write('from Python')
    os.makedirs('/native/mount/a/b')
    with open('/native/mount/a/b/c.bin', 'wb') as f: f.write(bytes(10))
    os.remove('/native/mount/there.txt')
    os.remove('/native/mount/sub/inner.txt')
    os.rmdir('/native/mount/sub')
  `);
  await native.syncfs();
  say(await list(handle));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await put(handle, "new.txt", "changed outside");
  await put(handle, "late.txt", "late");
  await (await handle.getDirectoryHandle("a")).removeEntry("b", { recursive: true });
  await new Promise((resolve, reject) => FS.syncfs(true, (error) => (error ? reject(error) : resolve())));
  say(
    pyodide
      .runPython(
        "[open('/native/mount/new.txt').read(), sorted(os.listdir('/native/mount')), os.listdir('/native/mount/a')]",
      )
      .toJs(),
  );
  await fails(() => pyodide.mountNativeFS("/native/mount", handle));
  FS.mkdirTree("/native/full/child");
  await fails(() => pyodide.mountNativeFS("/native/full", handle));
  FS.writeFile("/native/file", "x");
  await fails(() => pyodide.mountNativeFS("/native/file", handle));
  await fails(() => pyodide.mountNativeFS("/native/other", {}));
  FS.unmount("/native/mount");
  await root.removeEntry(name, { recursive: true });
};
