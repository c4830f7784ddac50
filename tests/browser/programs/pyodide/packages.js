/** loadPackage: what it says, gives, refuses. Where packages come from is the same folder on both sides. */
export default async ({ pyodide, say, fails }) => {
  const messages = (label) => ({
    messageCallback: (text) => say(label, text),
    errorCallback: (text) => say(`${label} error`, text),
  });
  const data = (loaded) => loaded.sort((a, b) => (a.name < b.name ? -1 : 1));
  say(data(await pyodide.loadPackage("six", messages("six"))), { ...pyodide.loadedPackages });
  say(await pyodide.loadPackage("six", messages("again")));
  say(data(await pyodide.loadPackage(["python-dateutil", "Pytz"], messages("two"))));
  say(pyodide.runPython("import dateutil.relativedelta, pytz; str(dateutil.relativedelta.relativedelta(days=3))"));
  say(await pyodide.loadPackage([], messages("none")));
  await fails(() => pyodide.loadPackage("no-such-package", messages("unknown")));
  await fails(() => pyodide.loadPackage(["cycler", "no-such-package"], messages("unknown")));
  say("cycler" in pyodide.loadedPackages);
  const proxy = pyodide.toPy(["cycler"]);
  say(data(await pyodide.loadPackage(proxy, messages("proxy"))));
  say(data(await pyodide.loadPackage("/python/click-8.2.1-py3-none-any.whl", messages("address"))));
  say(await pyodide.loadPackage("click", messages("from the lock")));
  say(await pyodide.loadPackage(`${location.origin}/python/click-8.2.1-py3-none-any.whl`, messages("elsewhere")));
  say(pyodide.runPython("import click; click.__name__"), pyodide.loadedPackages.click);
  const missing = [];
  say(
    await pyodide.loadPackage("/python/absent-1.0-py3-none-any.whl", {
      messageCallback: (text) => say(text),
      errorCallback: (text) => missing.push(text),
    }),
  );
  say(missing[0], missing.length, pyodide.loadedPackages.absent);
  await pyodide.loadPackage("idna");
  say(
    data(await pyodide.loadPackage("certifi", { checkIntegrity: false })),
    pyodide.runPython("import idna, certifi; idna.encode('é').decode()"),
  );
  say(
    data(
      await pyodide.loadPackagesFromImports(
        "import six, sniffio\nfrom threadpoolctl import x\nimport nothing_known",
        messages("imports"),
      ),
    ),
  );
  say(await pyodide.loadPackagesFromImports("import json"), await pyodide.loadPackagesFromImports("1 + 1"));
  say(
    Object.keys(pyodide.loadedPackages).sort(),
    Object.values(pyodide.loadedPackages).filter((from) => from !== "default channel"),
  );
  say(
    pyodide
      .runPython(
        "import importlib.metadata as m; [m.version('six'), m.distribution('six').read_text('INSTALLER'), m.distribution('six').read_text('PYODIDE_SOURCE'), m.distribution('click').read_text('PYODIDE_SOURCE')]",
      )
      .toJs(),
  );
  const both = await Promise.all([
    pyodide.loadPackage("platformdirs", messages("first")),
    pyodide.loadPackage("platformdirs"),
  ]);
  say(both.map((loaded) => loaded.length));
  say(pyodide.lockfile.packages.six.version, pyodide.lockfileBaseUrl, pyodide.lockfile.info.abi_version);
};
