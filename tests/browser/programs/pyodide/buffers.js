/** Memory that both languages see, and every option of a conversion. */
export default async ({ pyodide, say, fails }) => {
  pyodide.runPython("import array, ctypes, struct");
  for (const code of ["b", "B", "h", "H", "i", "I", "q", "Q", "f", "d", "l", "L"]) {
    const proxy = pyodide.runPython(`array.array('${code}', [1, 2, 3])`);
    const view = proxy.getBuffer();
    const { data, offset, readonly, format, itemsize, ndim, nbytes, shape, strides, c_contiguous, f_contiguous } = view;
    say(code, data, offset, readonly, format, itemsize, ndim, nbytes, shape, strides, c_contiguous, f_contiguous);
    say(view instanceof pyodide.ffi.PyBufferView, data.constructor.name);
    view.release();
    await fails(() => view.data.length);
    await fails(() => view.release());
    proxy.destroy();
  }
  const bytes = pyodide.runPython("shared = bytearray(b'abcd'); shared");
  const types = ["u8", "i8", "u8clamped", "u16", "i16", "u32", "i32", "f32", "f64", "i64", "u64", "dataview", "i32big"];
  for (const type of types) {
    await fails(() => {
      const view = bytes.getBuffer(type);
      say(type, view.data.constructor.name, view.data.length ?? view.data.byteLength, view.readonly);
      view.release();
      throw new Error("done");
    });
  }
  const view = bytes.getBuffer("u8");
  view.data[0] = 122;
  say(pyodide.runPython("bytes(shared)").toJs());
  await fails(() => pyodide.runPython("shared.extend(b'more')"));
  view.release();
  pyodide.runPython("shared.extend(b'more')");
  const slice = pyodide.runPython("memoryview(bytearray(range(12)))[::3]").getBuffer();
  say(slice.offset, slice.strides, slice.shape, slice.c_contiguous, slice.data.length >= 10);
  slice.release();
  const square = pyodide.runPython("memoryview(bytearray(range(6))).cast('B', (2, 3))").getBuffer();
  say(square.ndim, square.shape, square.strides, square.data);
  square.release();
  await fails(() => pyodide.runPython("[1]").getBuffer());
  await fails(() => pyodide.runPython("memoryview(struct.pack('e', 1.5)).cast('e')").getBuffer());

  const nested = () => pyodide.runPython("{'a': [1, (2, {3})], 'b': {'c': b'x'}, 'd': object}");
  const pyproxies = [];
  say(
    [...nested().toJs({ depth: 1, pyproxies }).keys()],
    pyproxies.map((proxy) => proxy.type),
  );
  for (const proxy of pyproxies) proxy.destroy();
  say(pyodide.runPython("{'a': {'b': 1}}").toJs({ dict_converter: Array.from }));
  const converted = pyodide.runPython("class P:\n  def __init__(s, n): s.n = n\n[P(1), [P(2)]]").toJs({
    default_converter: (value, convert, cacheConversion) => {
      const made = { made: true };
      cacheConversion(value, made);
      made.n = convert(value.n);
      return made;
    },
  });
  say(converted);
  say(
    pyodide.runPython("[1, (2, 3), {'k': [4]}]").toJs({
      eager_converter: (value, convert) => (value.type === "tuple" ? "a tuple" : convert(value)),
    }),
  );
  const itself = pyodide.runPython("loop = [1]; loop.append(loop); loop").toJs();
  say(itself[1] === itself);
  await fails(() => pyodide.runPython("[object()]").toJs({ create_pyproxies: false }));
  say(
    pyodide
      .runPython("[2**53, 2**70, -2**63, float('inf'), 1j]")
      .toJs({ depth: 2 })
      .map((n) => typeof n),
  );

  class Point {
    constructor(x) {
      this.x = x;
    }
  }
  const python = pyodide.toPy(new Map([["p", new Point(3)]]), {
    depth: -1,
    defaultConverter: (value, convert, cacheConversion) => {
      if (!(value instanceof Point)) return value;
      const list = pyodide.toPy([]);
      cacheConversion(value, list);
      list.append(convert({ x: value.x }));
      return list;
    },
  });
  pyodide.globals.set("made_of", python);
  say(pyodide.runPython("repr(made_of)"));
  say(pyodide.toPy(5), pyodide.toPy("s"), pyodide.toPy(undefined), pyodide.toPy(null), typeof pyodide.toPy(5n));
  say(pyodide.toPy(python) === python, typeof pyodide.toPy(print));
  const round = [];
  round.push(round);
  pyodide.globals.set("round", pyodide.toPy(round));
  say(pyodide.runPython("round[0] is round"));
  say(
    pyodide.runPython("type(round).__name__"),
    String(pyodide.toPy(new Set([1]))),
    String(pyodide.toPy({ "a b": [] })),
  );
  pyodide.globals.set("buffer", new ArrayBuffer(3));
  pyodide.globals.set("numbers", new Int16Array([1, -2, 3]));
  say(pyodide.runPython("[buffer.to_bytes(), numbers.to_bytes(), numbers.to_py().format]").toJs());
  pyodide.runPython(
    "numbers.assign(array.array('h', [7, 8, 9]))\ntarget = array.array('h', [0, 0, 0])\nnumbers.assign_to(target)",
  );
  say(pyodide.globals.get("numbers"), pyodide.runPython("target.tolist()").toJs());
};
function print() {}
