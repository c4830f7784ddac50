/** The classes of pyodide.ffi, and what each kind of proxy can do. */
const KINDS = {
  number: "5",
  text: "'text'",
  list: "[3, 1, 2]",
  tuple: "(1, 2)",
  dictionary: "{'a': 1}",
  set: "{1}",
  frozen: "frozenset({1})",
  range: "range(4)",
  bytes: "b'abc'",
  view: "memoryview(b'abc')",
  function: "lambda *a, **k: [list(a), k]",
  class: "type('C', (), {})",
  instance: "type('C', (), {})()",
  generator: "(n for n in range(3))",
  iterator: "iter([1, 2])",
  coroutine: "sleeping()",
  asyncGenerator: "counting()",
  module: "__import__('math')",
  exception: "ValueError('v')",
  mappingView: "{'a': 1}.keys()",
  deque: "__import__('collections').deque([1])",
  counter: "__import__('collections').Counter('aab')",
};

const kinds = (pyodide) =>
  Object.fromEntries(Object.entries(KINDS).map(([name, code]) => [name, pyodide.runPython(code)]));

export default async ({ pyodide, say, fails }) => {
  const { ffi } = pyodide;
  say(Object.keys(ffi).sort());
  pyodide.runPython("async def sleeping(): return 7\nasync def counting():\n  got = yield 1\n  yield got");
  const values = kinds(pyodide);
  for (const [name, value] of Object.entries(values)) {
    const is = Object.keys(ffi).filter(
      (of) => of !== "PyBufferView" && of !== "PythonError" && value instanceof ffi[of],
    );
    say(name, is, typeof value, Object.prototype.toString.call(value));
  }
  await values.coroutine;
  for (const name of Object.keys(ffi).sort()) {
    await fails(() => new ffi[name]("ValueError", "made here", 0));
  }
  const { list, dictionary, deque } = values;
  say(
    list.join("-"),
    list.slice(1),
    list.indexOf(2),
    list.lastIndexOf(9),
    list.at(-1),
    list.includes(3),
    [0].concat(list),
  );
  say(
    list.map((n, at) => n * at),
    list.filter((n) => n > 1),
    list.some((n) => n > 2),
    list.every((n) => n > 2),
  );
  say(
    list.reduce((a, b) => a + b),
    list.reduceRight((a, b) => `${a}${b}`, ""),
    list.find((n) => n < 3),
    list.findIndex((n) => n < 3),
  );
  say([...list.entries()], [...list.keys()], [...list.values()], JSON.stringify(list), Array.from(list));
  list.push(5, 6);
  list.unshift(0);
  say(list.pop(), list.shift(), list.splice(1, 1, 8, 9), list.toJs(), list.length);
  say(list.sort().toJs(), list.reverse().toJs(), list.fill(4, 1, 2).toJs(), list.copyWithin(0, 2).toJs());
  list[0] = 77;
  say(list[0], list[99], 0 in list, 99 in list, delete list[0], list.length, deque.length);
  say(JSON.stringify(pyodide.runPython("{'a': [1, {'b': None}], 'c': 'x'}").asJsJson()));
  const json = pyodide.runPython("nested = {'a': {'b': [1, 2]}}; nested").asJsJson();
  say(json.a.b[1], "a" in json, Object.keys(json));
  json.a.c = 5;
  say(pyodide.runPython("nested").toJs({ dict_converter: Object.fromEntries }), [...dictionary], dictionary.length);
  const call = values.function;
  say(call.apply(null, [1, 2]).toJs(), call.call(null, 3).toJs(), call.bind(null, 4)(5).toJs());
  say(call.callKwargs(1, { k: 2 }).toJs(), call.callWithOptions({ kwargs: true, relaxed: true }, 1, { z: 3 }).toJs());
  const two = pyodide.runPython("lambda a, b=2: [a, b]");
  say(two.callRelaxed(1, 5, 6, 7).toJs(), two.callKwargsRelaxed(1, { b: 3, z: 4 }).toJs());
  await fails(() => two(1, 2, 3));
  await fails(() => call.callKwargs(1));
  const captured = pyodide.runPython("lambda this, x: [this.name, x]").captureThis();
  say({ name: "of the object", captured }.captured(4).toJs());
  if ("Suspending" in WebAssembly) {
    const waits = pyodide.runPython("from pyodide.ffi import run_sync\nlambda a, b=0: run_sync(sleeping()) + a + b");
    say(await waits.callPromising(1), await waits.callPromisingKwargs(1, { b: 10 }));
  }
  const generator = pyodide.runPython(
    "def g():\n  try:\n    got = yield 1\n  except ValueError as e:\n    got = str(e)\n  yield got\n  return 'end'\ng()",
  );
  say(generator.next(), generator.throw(pyodide.runPython("ValueError('thrown')")), generator.next(), generator.next());
  const returns = pyodide.runPython("g()");
  say(returns.next(), returns.return("early"), returns.next());
  const counting = pyodide.runPython("counting()");
  say(await counting.next(), await counting.next("sent"), await counting.next());
  const seen = [];
  for await (const n of pyodide.runPython("counting()")) seen.push(n);
  say(seen, await pyodide.runPython("counting()").return(3));
  say(
    await pyodide.runPython("sleeping()").then((n) => n + 1),
    await pyodide.runPython("sleeping()").finally(() => {}),
  );
  pyodide.runPython("async def failing(): raise KeyError('k')");
  say(await pyodide.runPython("failing()").catch((error) => error.type));
  const copy = dictionary.copy();
  dictionary.destroy({ message: "it is gone" });
  await fails(() => dictionary.get("a"));
  say(copy.get("a"), copy instanceof ffi.PyDict);
  const old = pyodide.setDebug(true);
  const gone = pyodide.runPython("[1]");
  gone.destroy();
  await fails(() => gone.length);
  say(old, pyodide.setDebug(old));
};
