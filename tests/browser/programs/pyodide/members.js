/** What the object has, down to what is rarely used. */
export default async ({ pyodide, say, fails, where }) => {
  const names = Object.getOwnPropertyNames(pyodide).sort();
  say(names.map((name) => [name, typeof pyodide[name]]));
  say(Object.keys(pyodide), Object.keys(pyodide.canvas).sort(), Object.keys(pyodide.ERRNO_CODES).length);
  say(Object.keys(pyodide.FS).sort());
  say(Object.keys(pyodide.PATH).sort(), pyodide.PATH.normalize("/a//b/../c"), pyodide.PATH.splitPath("/a/b.c"));
  say(
    pyodide.pyodide_py.type,
    pyodide.pyodide_py.__version__,
    Object.keys(pyodide.lockfile).sort(),
    pyodide.lockfile.info,
  );
  say(
    pyodide.lockfileBaseUrl,
    pyodide.globals.type,
    pyodide.globals.get("__name__"),
    pyodide.globals.has("__builtins__"),
  );
  say(pyodide.checkInterrupt(), pyodide.setDebug(false));
  say(pyodide.canvas.getCanvas2D(), pyodide.canvas.getCanvas3D());
  if (where === "page") {
    const canvas = Object.assign(document.createElement("canvas"), { id: "canvas" });
    pyodide.canvas.setCanvas2D(canvas);
    say(
      pyodide.canvas.getCanvas2D() === canvas,
      pyodide._module.canvas === canvas,
      pyodide.canvas.getCanvas3D() === canvas,
    );
    pyodide.canvas.setCanvas3D(canvas);
    say(pyodide.canvas.getCanvas3D() === canvas);
  }
  // As Comlink makes them: a function under the symbols that mark a remote object.
  const createEndpoint = Symbol("Comlink.endpoint");
  const releaseProxy = Symbol("Comlink.releaseProxy");
  pyodide.registerComlink({ createEndpoint, releaseProxy });
  const remote = Object.assign(() => Promise.resolve("called"), {
    [createEndpoint]: () => {},
    [releaseProxy]: () => {},
    value: Promise.resolve(3),
  });
  pyodide.globals.set("remote", remote);
  say(await pyodide.runPythonAsync("[await remote.value, await remote()]").then((list) => list.toJs()));
  await fails(() => pyodide.mountNodeFS("/node", "/tmp"));
  await fails(() => pyodide.makeMemorySnapshot());
  await fails(() => pyodide.mountNativeFS("relative", {}));
  await fails(() => pyodide.runPython(5));
  await fails(() => pyodide.runPython());
  await fails(() => pyodide.runPython("1", { globals: 5 }));
  await fails(() => pyodide.runPython("1", { globals: {} }));
  await fails(() => pyodide.runPythonAsync("1", { locals: 5 }));
  await fails(() => pyodide.loadPackage());
  await fails(() => pyodide.loadPackage(5));
  await fails(() => pyodide.loadPackagesFromImports("import ="));
  await fails(() => pyodide.pyimport(5));
  await fails(() => pyodide.pyimport(""));
  await fails(() => pyodide.registerJsModule(5, {}));
  await fails(() => pyodide.setInterruptBuffer(5));
  pyodide.setInterruptBuffer(undefined);
  say(
    pyodide.runPython("  1 + 1"),
    pyodide.runPython("\n    x = 1\n    x + 1\n"),
    pyodide.runPython(""),
    pyodide.runPython("# only this"),
  );
  say(
    pyodide
      .runPython(
        "import pyodide_js, js, sys\n[sorted(n for n in dir(pyodide_js) if n[0] != '_'), sys.version, sys.implementation.name, sys._emscripten_info.pthreads, sys.executable, sys.flags.interactive]",
      )
      .toJs(),
  );
  say(
    pyodide.runPython("import pyodide; [pyodide.__version__, sorted(n for n in dir(pyodide) if n[0] != '_')]").toJs(),
  );
  say(
    pyodide
      .runPython(
        "import pyodide.code as c; [c.find_imports('import a, b.c\\nfrom d import e'), c.eval_code('1+1'), c.should_quiet('1;')]",
      )
      .toJs(),
  );
  say(pyodide.runPython("from pyodide.http import open_url; open_url('/programs/worker.js').read(6)"));
  say(await pyodide.runPythonAsync("from pyodide.code import eval_code_async\nawait eval_code_async('2 + 2')"));
  say(
    await pyodide
      .runPythonAsync(`
    import asyncio
    from pyodide.console import PyodideConsole
    console = PyodideConsole(filename="<console>")
    said = []
    console.stdout_callback = said.append
    async def push(line):
        future = console.push(line)
        # One that nobody looked into would be reported, with a traceback, whenever it is collected.
        if future.done(): future.exception()
        if future.syntax_check != "complete": return future.syntax_check, (future.formatted_error or "").splitlines()[-1:]
        try: return "complete", repr(await future)
        except Exception as error: return "raised", (future.formatted_error or "").splitlines()[-1]
    [await push("1 + 1"), await push("def f():"), await push("  return 3"), await push(""), await push("f()"), await push("print('p')"),
     await push("1 +"), await push("1/0"), await push("await asyncio.sleep(0, 5)"), console.complete("asy"), said]
  `)
      .then((list) => list.toJs()),
  );
};
