/** Python's objects in JavaScript and JavaScript's in Python. */
export default async ({ pyodide, say, fails }) => {
  const f = pyodide.runPython("def f(a, b=2, *rest, key='k', **more):\n  return [a, b, rest, key, sorted(more)]\nf");
  say(f(1).toJs(), f(1, 3, 4, 5).toJs(), f.callKwargs(1, { key: "q", other: 1 }).toJs());
  say(
    f.type,
    f.name,
    typeof f,
    String(f).startsWith("<function f"),
    pyodide.ffi.PyProxy && f instanceof pyodide.ffi.PyProxy,
  );
  const d = pyodide.runPython("{'a': 1, 'b': [1, 2], (1, 2): 3}");
  say(d.length, d.get("a"), d.has("b"), d.get("zz"), [...d.keys()].length, d.type);
  d.set("c", 7);
  d.delete("a");
  say(d.has("a"), d.get("c"), String(d));
  const list = pyodide.runPython("list(range(5))");
  say([...list], list.length, list.get(-1), list.toJs(), list.slice ? [...list.slice(1, 3)] : "no slice");
  list.destroy();
  await fails(() => list.length);
  const thing = pyodide.runPython("class Thing:\n  n = 3\n  def m(self, x): return self.n * x\nThing()");
  say(thing.n, thing.m(4), "n" in thing, thing.nothing);
  thing.n = 10;
  say(thing.m(2), Object.keys(thing).includes("n"));
  pyodide.globals.set("js_thing", {
    value: 5,
    method(x) {
      return this.value + x;
    },
    list: [1, 2, 3],
    map: new Map([["k", 1]]),
  });
  say(
    pyodide
      .runPython(
        "[js_thing.value, js_thing.method(2), list(js_thing.list), js_thing.map.get('k'), type(js_thing).__name__]",
      )
      .toJs(),
  );
  say(pyodide.runPython("js_thing.added = 8; len(js_thing.list) + js_thing.added"));
  pyodide.globals.set("later", (value) => Promise.resolve(value * 2));
  say(await pyodide.runPythonAsync("await later(21)"));
  say(
    pyodide.runPython(
      "from pyodide.ffi import create_proxy, to_js\nfrom js import Object\nto_js({'a': 1}, dict_converter=Object.fromEntries)",
    ),
  );
  const callback = pyodide.runPython("create_proxy(lambda *a: sum(a))");
  say([1, 2, 3].map((n) => callback(n, 1)));
  callback.destroy();
  const generator = pyodide.runPython("def g():\n  got = yield 1\n  yield got\ng()");
  say(generator.next(), generator.next("sent"), generator.next());
  const buffer = pyodide.runPython("import array; array.array('d', [1.5, 2.5])").getBuffer();
  say(buffer.data, buffer.shape, buffer.format, buffer.readonly);
  buffer.release();
  say(pyodide.runPython("from js import Array; isinstance(Array.new(3), __import__('pyodide').ffi.JsProxy)"));
  await fails(() => pyodide.globals.get("f")());
};
