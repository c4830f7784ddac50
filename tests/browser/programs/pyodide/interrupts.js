/** The interrupt buffer. */
export default async ({ pyodide, say, fails }) => {
  const buffer = globalThis.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : new Uint8Array(1);
  pyodide.setInterruptBuffer(buffer);
  pyodide.globals.set("interrupt", () => buffer.fill(2));
  await fails(() => pyodide.runPython("n = 0\nwhile True:\n  n += 1\n  if n == 1000: interrupt()"));
  say(buffer[0], pyodide.runPython("n >= 1000"));
  say(
    pyodide.runPython(
      "try:\n  interrupt()\n  for _ in range(10**7): pass\nexcept KeyboardInterrupt:\n  caught = 'caught'\ncaught",
    ),
  );
  pyodide.globals.set("check", () => pyodide.checkInterrupt());
  await fails(() => pyodide.runPython("interrupt()\ncheck()"));
  pyodide.globals.set("send", (signal) => buffer.fill(signal));
  say(
    pyodide
      .runPython(
        "import signal\ngot = []\nsignal.signal(signal.SIGTERM, lambda number, frame: got.append(number))\nsend(15)\nfor _ in range(10**5): pass\ngot",
      )
      .toJs(),
  );
  pyodide.setInterruptBuffer(undefined);
  buffer[0] = 2;
  say(pyodide.runPython("sum(range(10**5))"), buffer[0]);
};
