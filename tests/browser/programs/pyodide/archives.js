/** unpackArchive of what Python itself has packed. */
export default async ({ pyodide, say, fails }) => {
  pyodide.runPython(`
    import importlib, io, os, shutil, sys, tarfile, zipfile
    os.makedirs('/packing/pkg_unpacked', exist_ok=True)
    with open('/packing/pkg_unpacked/__init__.py', 'w') as f: f.write('value = "unpacked"')
    with open('/packing/data.txt', 'w') as f: f.write('data')
    def packed(format):
        path = shutil.make_archive('/tmp/packed', format, '/packing')
        with open(path, 'rb') as f: return f.read()
    def wheel():
        file = io.BytesIO()
        with zipfile.ZipFile(file, 'w') as z:
            z.writestr('by_wheel.py', 'value = "wheel"')
            z.writestr('by_wheel-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: by_wheel\\nVersion: 1.0\\n')
            z.writestr('by_wheel-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
            z.writestr('by_wheel-1.0.dist-info/RECORD', '')
        return file.getvalue()
  `);
  const packed = pyodide.globals.get("packed");
  for (const format of ["zip", "tar", "gztar"]) {
    const bytes = packed(format).toJs();
    const extractDir = `/unpacked/${format}`;
    pyodide.unpackArchive(bytes, format, { extractDir });
    say(pyodide.FS.readdir(extractDir).sort(), pyodide.FS.readFile(`${extractDir}/data.txt`, { encoding: "utf8" }));
  }
  const zip = packed("zip").toJs();
  pyodide.unpackArchive(zip.slice().buffer, ".zip");
  say(pyodide.FS.analyzePath("/home/pyodide/pkg_unpacked/__init__.py").exists);
  say(
    pyodide
      .runPython("importlib.invalidate_caches()\nimport pkg_unpacked\n[pkg_unpacked.value, pkg_unpacked.__file__]")
      .toJs(),
  );
  const site = pyodide.runPython("import site; site.getsitepackages()[0]");
  pyodide.unpackArchive(pyodide.runPython("wheel()").toJs(), "wheel", { extractDir: site });
  say(
    pyodide
      .runPython(
        "importlib.invalidate_caches()\nimport by_wheel, importlib.metadata as metadata\n[by_wheel.value, metadata.version('by_wheel')]",
      )
      .toJs(),
  );
  await fails(() => pyodide.unpackArchive([1, 2], "zip"));
  await fails(() => pyodide.unpackArchive(new Uint8Array([1, 2, 3]), "zip"));
  await fails(() => pyodide.unpackArchive(zip, "no format"));
};
