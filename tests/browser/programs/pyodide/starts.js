/** Options in the forms that programs give them, some at a time. */
export const alone = true;

const STARTS = {
  "addresses that are relative, options that nobody knows": {
    options: { indexURL: "../python", lockFileURL: "../python/pyodide-lock.json", noSuchOption: 1, _node_mounts: [] },
    code: "1 + 1",
  },
  "one package, arguments": {
    options: { packages: "six", args: ["--", "a", "b"], checkAPIVersion: false },
    code: "import six, sys; [six.__name__, *sys.argv]",
  },
  "a program at the start": {
    options: { args: ["-c", "print('from -c')", "x"], enableRunUntilComplete: false },
    code: "import asyncio, sys; [*sys.argv, type(asyncio.get_event_loop()).__name__]",
  },
  "flags and the environment": {
    options: {
      args: ["-O", "-W", "error", "-B", "-X", "utf8"],
      env: { PYTHONHASHSEED: "0", PYTHONPATH: "/added", HOME: "/home/me", TZ: "UTC" },
      fsInit: async (FS) => {
        FS.mkdir("/added");
        FS.writeFile("/added/sitecustomize.py", "import builtins; builtins.customised = 'yes'");
      },
    },
    code: `
      import os, sys
      [sys.flags.optimize, sys.warnoptions, sys.dont_write_bytecode, sys.flags.utf8_mode, hash("a"), os.getcwd(),
       sorted(os.environ), "/added" in sys.path, customised]`,
  },
  "a wheel, a line of input, few globals": {
    options: {
      packages: ["python/distro-1.9.0-py3-none-any.whl"].map((path) => new URL(path, location.origin).href),
      stdin: () => "line",
      jsglobals: { Object, setTimeout: setTimeout.bind(globalThis), clearTimeout: clearTimeout.bind(globalThis) },
    },
    code: `
      import asyncio, distro, js
      [distro.__name__, input(), await asyncio.sleep(0.001, "slept"), hasattr(js, "fetch")]`,
  },
};

export default async ({ boot, say }) => {
  const lines = [];
  const streams = { stdout: (line) => lines.push(`out ${line}`), stderr: (line) => lines.push(`err ${line}`) };
  for (const [name, { options, code }] of Object.entries(STARTS)) {
    const pyodide = await boot({ ...streams, ...options });
    say(name, String(await pyodide.runPythonAsync(code)), lines.splice(0), Object.keys(pyodide.loadedPackages));
  }
};
