/** Exceptions through both languages. */
export default async ({ pyodide, say, fails, where }) => {
  try {
    pyodide.runPython("class Mine(Exception): pass\nraise Mine('m')");
  } catch (error) {
    // Where the standard library is mounted is not the same.
    say(
      error instanceof pyodide.ffi.PythonError,
      error.name,
      error.type,
      error.message.replaceAll(/"\/lib\/[^/]*/g, '"'),
    );
  }
  await fails(() => pyodide.runPython("raise SystemExit(3)"));
  await fails(() => pyodide.runPython("def r(): r()\nr()"));
  pyodide.globals.set("throws", () => {
    throw new TypeError("from JavaScript");
  });
  await fails(() => pyodide.runPython("throws()"));
  say(
    pyodide
      .runPython(
        "try:\n  throws()\nexcept Exception as e:\n  found = [type(e).__name__, str(e), e.js_error.name]\nfound",
      )
      .toJs(),
  );
  pyodide.globals.set("into_python", () => pyodide.runPython("1 / 0"));
  say(pyodide.runPython("try:\n  into_python()\nexcept ZeroDivisionError as e:\n  found = str(e)\nfound"));
  await fails(() => pyodide.runPython("import sys; sys.exit()"));
  await fails(() => pyodide.runPython("import no_such_module_at_all"));
  await fails(() => pyodide.runPython("import tkinter"));
  if (where === "page") {
    // The package is in the lock file: in a worker our import would bring it.
    try {
      pyodide.runPython("import regex");
    } catch (error) {
      say(error.type, error.message.slice(error.message.indexOf("ModuleNotFoundError")));
    }
  }
  say(pyodide.setDebug(true), pyodide.setDebug(false));
  await fails(() => pyodide.toPy({ a: 1 }).no_such_method());
};
