/** micropip. */
export default async ({ pyodide, say, fails }) => {
  await pyodide.loadPackage("micropip", { messageCallback() {} });
  pyodide.runPython(`
    import io, zipfile
    def wheel(name, version, requires=()):
        file = io.BytesIO()
        with zipfile.ZipFile(file, 'w') as z:
            z.writestr(f'{name}.py', f'version = "{version}"')
            needs = ''.join(f'Requires-Dist: {r}\\n' for r in requires)
            z.writestr(f'{name}-{version}.dist-info/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{needs}')
            z.writestr(f'{name}-{version}.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
            z.writestr(f'{name}-{version}.dist-info/RECORD', '')
        with open(f'/tmp/{name}-{version}-py3-none-any.whl', 'wb') as f: f.write(file.getvalue())
    wheel('mine_one', '1.2')
    wheel('mine_two', '0.1', ['mine_one', 'annotated-types'])
  `);
  say(
    await pyodide.runPythonAsync(
      "import micropip\nawait micropip.install('emfs:/tmp/mine_one-1.2-py3-none-any.whl')\nimport mine_one\nmine_one.version",
    ),
  );
  say(
    await pyodide
      .runPythonAsync(
        "await micropip.install('emfs:/tmp/mine_two-0.1-py3-none-any.whl')\nimport mine_two, annotated_types\n[mine_two.version, annotated_types.__version__]",
      )
      .then((list) => list.toJs()),
  );
  say(pyodide.loadedPackages.mine_one, pyodide.loadedPackages["mine-two"], pyodide.loadedPackages["annotated-types"]);
  say(
    await pyodide.runPythonAsync(
      `await micropip.install('${location.origin}/python/distro-1.9.0-py3-none-any.whl')\nimport distro\ndistro.__version__`,
    ),
  );
  say(
    pyodide
      .runPython(
        "import importlib.metadata as m\n[m.version('distro'), m.distribution('distro').read_text('INSTALLER'), m.distribution('mine-one').read_text('PYODIDE_SOURCE')]",
      )
      .toJs(),
  );
  say(
    pyodide
      .runPython(
        "sorted((p.name, p.version) for p in micropip.list().values() if p.name in {'mine-one', 'mine_one', 'distro', 'annotated-types'})",
      )
      .toJs(),
  );
  await fails(() => pyodide.runPythonAsync("await micropip.install('emfs:/tmp/mine_one-9.9-py3-none-any.whl')"));
  say(
    pyodide
      .runPython(
        "micropip.uninstall('mine_one')\nimport os\nfrom pathlib import Path\nsite = Path(mine_two.__file__).parent\n[(site / 'mine_one.py').exists(), (site / 'mine_two.py').exists()]",
      )
      .toJs(),
  );
  say(
    "mine_one" in pyodide.loadedPackages,
    pyodide.runPython("sorted(__import__('json').loads(micropip.freeze())['packages']['annotated-types'])").toJs(),
  );
};
