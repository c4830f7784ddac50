/** Running code: values, names, namespaces, file names. */
export default async ({ pyodide, say, fails }) => {
  say(pyodide.version, pyodide.runPython("1 + 2"));
  say(pyodide.runPython("x = 5"), pyodide.runPython("x;"), pyodide.globals.get("x"));
  say(pyodide.runPython("'a' * 3"), pyodide.runPython("2 ** 80"), pyodide.runPython("1.5"), pyodide.runPython("None"));
  const globals = pyodide.toPy({ y: 3 });
  say(pyodide.runPython("y + 1", { globals }), pyodide.globals.has("y"));
  const locals = pyodide.toPy({ z: [1, 2, 3] });
  say(pyodide.runPython("w = sum(z); w", { globals, locals }), globals.has("w"), locals.get("w"));
  globals.destroy();
  locals.destroy();
  say(pyodide.globals.get("len")([1, 2]), pyodide.globals.has("print"), pyodide.globals.get("nothing"));
  pyodide.globals.set("from_page", { a: [1, "two"] });
  say(pyodide.runPython("from_page.a[1]"));
  // Nothing of the loader's own may lie about in the programs' namespace.
  say(pyodide.runPython("sorted(name for name in globals() if name in {'sys', 'importlib', '_pyodide', 'os'})").toJs());
  try {
    pyodide.runPython("def f():\n  raise ValueError('line two')\nf()", { filename: "mine.py" });
  } catch (error) {
    say(error.type, error.message.includes('File "mine.py", line 2, in f'), error.message.includes("line two"));
  }
  await fails(() => pyodide.runPython("1 +"));
  await fails(() => pyodide.runPython("undefined_name"));
  say(pyodide.runPython("import sys; [sys.platform, sys.argv, sys.flags.inspect, sys.path[0]]").toJs());
  say(pyodide.runPython("import os; [os.getcwd(), os.environ['HOME'], os.environ.get('MPLBACKEND')]").toJs());
  say(
    pyodide
      .runPython("import builtins, time; [hasattr(builtins, 'display'), input.__module__, time.sleep.__module__]")
      .toJs(),
  );
};
