/** Await at top level, tasks, promises, and waiting from code that is not async. */
export default async ({ pyodide, say, fails }) => {
  say(await pyodide.runPythonAsync("import asyncio\nawait asyncio.sleep(0.01)\n'slept'"));
  say(
    await pyodide
      .runPythonAsync(
        "async def f(n):\n  await asyncio.sleep(0.001 * n)\n  return n\n(await asyncio.gather(*map(f, [3, 1, 2])))",
      )
      .then((list) => list.toJs()),
  );
  say(
    await pyodide
      .runPythonAsync(
        "from js import fetch\nr = await fetch('/python/pyodide-lock.json', method='HEAD')\n[r.status, r.ok]",
      )
      .then((list) => list.toJs()),
  );
  await fails(() => pyodide.runPythonAsync("await asyncio.sleep(0)\nraise KeyError('k')"));
  await fails(() => pyodide.runPythonAsync("await asyncio.wait_for(asyncio.sleep(5), 0.01)"));
  await fails(() =>
    pyodide.runPythonAsync("from js import Promise\nawait Promise.reject(__import__('js').Error.new('refused'))"),
  );
  const coroutine = pyodide.runPython("async def g(): return 'awaited'\ng()");
  say(await coroutine);
  say(pyodide.runPython("from pyodide.ffi import can_run_sync; can_run_sync()"));
  say(await pyodide.runPythonAsync("can_run_sync()"));
  if ("Suspending" in WebAssembly) {
    say(await pyodide.runPythonAsync("from pyodide.ffi import run_sync\nrun_sync(f(2))"));
    say(await pyodide.runPythonAsync("asyncio.run(f(1))"));
    say(await pyodide.runPythonAsync("[run_sync(f(n)) for n in range(3)]").then((list) => list.toJs()));
  }
  await fails(() => pyodide.runPython("from pyodide.ffi import run_sync\nrun_sync(f(2))"));
  say(
    await pyodide.runPythonAsync(
      "from pyodide.http import pyfetch\n(await (await pyfetch('/python/pyodide-lock.json')).json())['info']['arch']",
    ),
  );
  say(
    await new Promise((resolve) => {
      pyodide.globals.set("resolve", resolve);
      pyodide.runPython("asyncio.get_event_loop().call_later(0.01, lambda: resolve('later'))");
    }),
  );
};
