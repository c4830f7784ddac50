/** Data from one language to the other. */
export default async ({ pyodide, say, fails }) => {
  const there = (value, options) => {
    const made = pyodide.toPy(value, options);
    pyodide.globals.set("value", made);
    const text = pyodide.runPython("f'{type(value).__name__} {value!r}'");
    made?.destroy?.();
    return text;
  };
  for (const value of [
    [1, [2, "x"]],
    { a: 1, b: { c: null } },
    new Map([["k", [undefined]]]),
    new Set([1, 2]),
    "é😀",
    2 ** 60,
    10n ** 30n,
    true,
    1.25,
  ]) {
    say(there(value));
  }
  say(there([[[1]]], { depth: 1 }).split(" ")[0], there({ when: new Date(0) }, { defaultConverter: () => "a date" }));
  const back = (code, options) => pyodide.runPython(code).toJs(options);
  say(
    back("[1, 'a', None, True, 2.5, [3]]"),
    back("(1, 2)"),
    back("{'a': {'b': 1}}", { dict_converter: Object.fromEntries }),
  );
  say(back("{1, 2}"), back("b'abc'"), back("bytearray([1, 2])"), back("memoryview(b'xy')"));
  say(back("[[1, 2], [3, [4]]]", { depth: 1 }).map((item) => item.type ?? typeof item));
  const pyproxies = [];
  const mixed = back("[print, 1]", { pyproxies });
  say(pyproxies.length, mixed[1]);
  await fails(() => back("[print]", { create_pyproxies: false }));
  pyodide.globals.set("nothing", null);
  pyodide.globals.set("absent", undefined);
  say(pyodide.runPython("[repr(nothing), repr(absent)]").toJs());
  pyodide.globals.set("numbers", new Float64Array([1, 2, 3]));
  say(
    pyodide
      .runPython("[sum(numbers.to_py()), numbers.to_py().tolist(), bytes(numbers.to_memoryview())[:3].hex()]")
      .toJs(),
  );
  say(pyodide.runPython("from pyodide.ffi import to_js; to_js([1, {'a': 2}])"));
  say(pyodide.runPython("import json; json.dumps(from_page.to_py())"));
};
