/** Options of loadPyodide, each with an interpreter of its own. */
export const alone = true;

export default async ({ boot, say }) => {
  const lines = [];
  const first = await boot({
    env: { MINE: "yes", HOME: "/home/other" },
    args: ["-X", "mine=1"],
    jsglobals: { only: "this", Object },
    stdout: (line) => lines.push(`out ${line}`),
    stderr: (line) => lines.push(`err ${line}`),
    stdin: () => "typed",
    packages: ["six", "idna"],
    fullStdLib: false,
    _sysExecutable: "/usr/bin/mine",
    fsInit: async (FS, { sitePackages }) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      FS.writeFile(`${sitePackages}/put_there.py`, "value = 'before main'");
      lines.push(`fsInit ${sitePackages} ${FS.readdir(sitePackages).includes("put_there.py")}`);
    },
    pyproxyToStringRepr: true,
    convertNullToNone: true,
    checkAPIVersion: true,
    enableRunUntilComplete: false,
    packageCacheDir: "/somewhere",
  });
  first.runPython(
    "import os, sys, put_there, six, idna\nprint(os.environ['MINE'], os.getcwd(), sys._xoptions, sys.executable)\nprint(put_there.value, input(), file=sys.stderr)",
  );
  say(lines, { ...first.loadedPackages }, first.lockfileBaseUrl);
  say(first.runPython("import js; [js.only, hasattr(js, 'fetch')]").toJs());
  say(String(first.runPython("type('T', (), {'__str__': lambda s: 'str', '__repr__': lambda s: 'repr'})()")));
  first.globals.set("nothing", null);
  say(first.runPython("nothing is None"));
  const text = await (await fetch("/python/pyodide-lock.json")).text();
  for (const lockFileContents of [text, JSON.parse(text), Promise.resolve(text)]) {
    const other = await boot({ lockFileContents, packageBaseUrl: `${location.origin}/python`, packages: ["six"] });
    say(Object.keys(other.loadedPackages), other.lockfileBaseUrl === `${location.origin}/python/`);
  }
  const changed = JSON.parse(text);
  changed.packages.six.depends = ["idna"];
  const url = URL.createObjectURL(new Blob([JSON.stringify(changed)], { type: "application/json" }));
  const other = await boot({
    lockFileURL: url,
    packageBaseUrl: `${location.origin}/python/`,
    stdLibURL: "/python/python_stdlib.zip?mine",
  });
  await other.loadPackage("six", { messageCallback() {} });
  say(Object.keys(other.loadedPackages).sort());
  const quiet = [];
  const partly = await boot({
    packages: ["kiwisolver"],
    packageBaseUrl: `${location.origin}/nowhere/`,
    stderr: (line) => quiet.push(line),
    stdout: (line) => quiet.push(line),
  });
  say(Object.keys(partly.loadedPackages), quiet.filter((line) => line.startsWith("The following")).sort());
  say(partly.runPython("1 + 1"));
};
