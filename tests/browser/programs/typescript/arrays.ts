/** Numbers from Python without copies, and the kinds of proxies that a program tells apart. */
import { loadPyodide, type PyodideAPI } from "pyodide";
import type {
  PyAsyncGenerator,
  PyAsyncIterable,
  PyAsyncIterator,
  PyAwaitable,
  PyBuffer,
  PyBufferView,
  PyCallable,
  PyDict,
  PyGenerator,
  PyIterable,
  PyIterator,
  PyMutableSequence,
  PyProxy,
  PyProxyWithGet,
  PyProxyWithHas,
  PyProxyWithLength,
  PyProxyWithSet,
  PySequence,
  PythonError,
  TypedArray,
} from "pyodide/ffi";
import type { Program } from "./program";

interface Bridge extends PyProxy {
  samples(count: number): PyBuffer;
  table(): PyDict;
  scale: PyCallable;
}

const BRIDGE = `
import array
def samples(count): return array.array("d", [n / 2 for n in range(count)])
def table(): return {"names": ["a", "b"], "sizes": (1, 2)}
def scale(values, by=2): return [value * by for value in values]
def numbers():
    got = yield 1
    yield got
async def later():
    yield "soon"
async def value(): return "awaited"
`;

function withBuffer<T>(buffer: PyBuffer, use: (data: TypedArray, view: PyBufferView) => T): T {
  const view = buffer.getBuffer();
  try {
    return use(view.data, view);
  } finally {
    view.release();
    buffer.destroy();
  }
}

function describe({ ffi }: PyodideAPI, value: unknown): string {
  if (value instanceof ffi.PyBufferView) return `view of ${value.nbytes}`;
  if (value instanceof ffi.PyDict) return `dictionary of ${value.length}`;
  if (value instanceof ffi.PyCallable) return `function ${value.name}`;
  if (value instanceof ffi.PyBuffer) return "buffer";
  if (value instanceof ffi.PyMutableSequence) return "list";
  if (value instanceof ffi.PySequence) return "sequence";
  if (value instanceof ffi.PyAsyncGenerator) return "asynchronous generator";
  if (value instanceof ffi.PyGenerator) return "generator";
  if (value instanceof ffi.PyAwaitable) return "awaitable";
  return value instanceof ffi.PyProxy ? `other ${value.type}` : typeof value;
}

export const main: Program = async (indexURL, say) => {
  const pyodide = await loadPyodide({ indexURL });
  pyodide.FS.writeFile("/home/pyodide/bridge.py", BRIDGE);
  const bridge: Bridge = pyodide.pyimport("bridge");
  say(withBuffer(bridge.samples(4), (data, { shape, format, itemsize }) => [...data, shape, format, itemsize]));
  const table: PyDict = bridge.table();
  const names: PyMutableSequence & PySequence & PyIterable = table.get("names");
  say(
    names.map((name) => `${name}!`),
    [...names.slice(1)],
    [...names],
    table.has("sizes"),
    table.length,
  );
  const keyed: PyProxyWithGet = table;
  const changing: PyProxyWithSet = table;
  const asking: PyProxyWithHas = table;
  const sized: PyProxyWithLength = table;
  changing.set("more", 1);
  changing.delete("names");
  say(keyed.get("more"), asking.has("names"), sized.length, JSON.stringify(keyed.asJsJson()));
  say(bridge.scale([1, 2]).toJs(), bridge.scale.callKwargs([1], { by: 5 }).toJs());
  say(bridge.scale.callWithOptions({ relaxed: true }, [3], 1, "left out").toJs());
  const generator: PyGenerator & PyIterator = bridge.numbers();
  say(generator.next().value, generator.next("sent").value, generator.return("end").done);
  const later: PyAsyncIterable & PyAsyncIterator & PyAsyncGenerator = bridge.later();
  for await (const item of later) say(item);
  const value: PyAwaitable = bridge.value();
  say(await value.then((text: string) => text.length));
  for (const code of [
    "{}",
    "print",
    "b'x'",
    "[]",
    "()",
    "(n for n in ())",
    "object()",
    "1",
    "__import__('bridge').value()",
  ]) {
    say(describe(pyodide, pyodide.runPython(code)));
  }
  const made: PythonError = new pyodide.ffi.PythonError("KeyError", "made here", 0);
  say(made.type, made instanceof Error, made instanceof pyodide.ffi.PythonError);
  type Proxy = InstanceType<typeof pyodide.ffi.PyProxy>;
  const proxies: Proxy[] = [];
  say(pyodide.runPython("[print, [len]]").toJs({ pyproxies: proxies, depth: -1 }).length, proxies.length);
  for (const proxy of proxies) proxy.destroy({ message: "no more" });
};
