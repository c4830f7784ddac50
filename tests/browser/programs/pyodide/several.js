/** Several interpreters on one thread, and what they leave on it. */
export const alone = true;

const own = () => Object.getOwnPropertyNames(globalThis);

export default async ({ boot, say, fails }) => {
  const before = new Set(own());
  const quiet = { stdout() {}, stderr() {} };
  const [one, two] = await Promise.all([boot(quiet), boot({ ...quiet, env: { WHO: "two" } })]);
  say(
    own()
      .filter((name) => !before.has(name))
      .sort(),
  );
  one.runPython("x = 'one'");
  two.runPython("x = 'two'");
  say(one.runPython("x"), two.runPython("x"), one === two, one.ffi.PyProxy === two.ffi.PyProxy);
  one.FS.writeFile("/home/pyodide/only_one", "1");
  say(
    two.FS.analyzePath("/home/pyodide/only_one").exists,
    one.runPython("import os; os.environ.get('WHO')"),
    two.runPython("import os; os.environ['WHO']"),
  );
  await one.loadPackage("six", { messageCallback() {} });
  say(Object.keys(one.loadedPackages), Object.keys(two.loadedPackages));
  two.globals.set("of_one", one.runPython("[1, 2]"));
  say(two.runPython("[type(of_one).__name__, list(of_one), of_one.length]").toJs());
  two.globals.set("call_one", one.runPython("lambda a: a * 2"));
  say(two.runPython("call_one(21)"), one.runPython("[1]") instanceof two.ffi.PyProxy);
  await fails(() => {
    try {
      one.runPython("raise ValueError('in one')");
    } catch (error) {
      say(error instanceof one.ffi.PythonError, error instanceof two.ffi.PythonError);
      throw error;
    }
  });
  say(await Promise.all([one, two].map((py) => py.runPythonAsync("import asyncio\nawait asyncio.sleep(0.01)\nx"))));
  const third = await boot(quiet);
  say(third.runPython("'x' in globals()"), third.FS.analyzePath("/home/pyodide/only_one").exists);
};
