/** JavaScript objects as Python modules. */
export default async ({ pyodide, say, fails }) => {
  pyodide.registerJsModule("mine", { f: (x) => x + 1, value: 7, sub: { deep: { value: "d" } }, "odd name": 1 });
  say(
    pyodide
      .runPython("import mine; from mine import f; from mine.sub.deep import value\n[mine.value, f(1), value]")
      .toJs(),
  );
  say(pyodide.runPython("import mine.sub; mine.sub.deep.value"));
  await fails(() => pyodide.runPython("from mine import nothing"));
  await fails(() => pyodide.runPython("import mine.nothing"));
  pyodide.unregisterJsModule("mine");
  pyodide.runPython(
    "import sys; [sys.modules.pop(n) for n in list(sys.modules) if n.partition('.')[0] == 'mine']; None",
  );
  await fails(() => pyodide.runPython("import mine"));
  await fails(() => pyodide.unregisterJsModule("mine"));
  await fails(() => pyodide.registerJsModule("mine", 5));
  say(pyodide.runPython("import js; [js.Math.max(1, 2), js.JSON.stringify(js.Array.of(1, 2))]").toJs());
  say(pyodide.runPython("import pyodide_js; [pyodide_js.version, pyodide_js.runPython('40 + 2')]").toJs());
  const math = pyodide.pyimport("math");
  say(math.sqrt(16), pyodide.pyimport("math.comb")(4, 2), pyodide.pyimport("os.path").join("a", "b"));
  math.destroy();
  await fails(() => pyodide.pyimport("no_such_module"));
  await fails(() => pyodide.pyimport("math.no_such_name"));
};
