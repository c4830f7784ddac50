/** `python.install` of what the lock file has, or needs what it has. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { startIndex, wheel } from "../support/simple-index.mjs";
import { names, using } from "./support/installer.mjs";

describe("the lock file first, on 0.28.3", { timeout: 300_000 }, () => {
  let api;
  let index;
  const { run, install, installFails, loaded, fresh } = using(() => api);
  const options = () => ({ indexURLs: [index.root] });

  before(async () => {
    index = await startIndex(
      [
        wheel("needs_numpy", "1.0", { requires: ["numpy>=1.26,<3"] }),
        wheel("needs_new_numpy", "1.0", { requires: ["numpy>=99"] }),
        wheel("numpy", "99.0", { files: { "numpy/__init__.py": "" } }),
        wheel("pandas_patch", "1.0", { requires: ["python-dateutil>=3"] }),
        wheel("python_dateutil", "3.0", { files: { "dateutil/__init__.py": "" } }),
        wheel("urllib3", "99.0", { files: { "urllib3/__init__.py": "" } }),
        wheel("PySocks", "1.7.1", { files: { "socks.py": "" } }),
      ],
      { absolute: true },
    );
    const folder = { folder: distributionFolder("0.28.3"), immutable: false };
    api = await openApiPage({ roots: { "/lying/": folder, "/honest/": folder } });
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });
  beforeEach(() => {
    index.log.length = 0;
  });

  it("a package of the lock file needs no index", async () => {
    const installed = await install(["six", "pytz>=2024"], { indexURLs: [] });
    assert.deepEqual(names(installed), ["pytz 2025.2", "six 1.17.0"]);
    assert.ok(installed.every(({ source }) => source === "lock"));
  });

  it("a package of the index gets the lock file's version of what it needs", async () => {
    const installed = await install("needs-numpy", options());
    assert.deepEqual(names(installed), ["needs-numpy 1.0", "numpy 2.2.5"]);
    assert.deepEqual(
      index.log.filter(({ path }) => path.startsWith("/simple/")).map(({ path }) => path),
      ["/simple/needs-numpy/"],
    );
    assert.equal((await run("import needs_numpy, numpy; needs_numpy.version")).value, "1.0");
  });

  it("what is loaded and too old for it is named", async () => {
    const error = await installFails("needs_new_numpy", options());
    assert.equal(error.code, "RESOLUTION");
    assert.match(error.message, /needs-new-numpy 1\.0 requires numpy>=99, but there is only 2\.2\.5\./);
    assert.match(error.message, /numpy 2\.2\.5 is loaded/);
    assert.ok(!(await loaded()).some(({ name }) => name === "needs-new-numpy"));
  });

  it("where the lock file's version does not do, the index has others", async () => {
    await fresh();
    const installed = await install("needs_new_numpy", options());
    assert.deepEqual(names(installed), ["needs-new-numpy 1.0", "numpy 99.0"]);
  });

  it("a package of the lock file whose dependency comes from an index is held to its own metadata", async () => {
    await fresh();
    // The lock file says that requests needs urllib3; only requests itself says that it must be below 3.
    const error = await installFails(["requests", "urllib3>=3"], options());
    assert.equal(error.code, "RESOLUTION");
    assert.match(error.message, /requests 2\.32\.4 requires urllib3<3,>=1\.21\.1/);
  });

  it("metadata of packages of the lock file comes from a mirror that has them, and is what the lock file vouches for", async () => {
    const mirrors = ["/gone/", "/lying/", "/honest/"];
    const file = "requests-2.32.4-py3-none-any.whl";
    // Nobody could meet this one's.
    const { bytes } = wheel("requests", "2.32.4", { requires: ["PySocks>=99; extra == 'socks'"] });
    api.server.hooks.push({ match: `/lying/${file}`, body: bytes });
    api.server.log.length = 0;
    const installed = await api.evaluate(
      async ([packageBaseUrl, options]) => {
        const python = await start({ packageBaseUrl, cache: "none" });
        const installed = await python.install("requests[socks]", options);
        python.dispose();
        return installed;
      },
      [mirrors, options()],
    );
    api.server.hooks.length = 0;
    assert.deepEqual(
      names(installed).filter((name) => /requests|socks/.test(name)),
      ["pysocks 1.7.1", "requests 2.32.4"],
    );
    const asked = api.server.log.filter(({ path }) => path.endsWith(file)).map(({ path }) => path);
    assert.deepEqual(asked, [`/gone/${file}`, `/lying/${file}`, `/honest/${file}`], "each once");
  });

  it("extras of packages of the lock file are known from their metadata", async () => {
    await fresh();
    const installed = await install("requests[socks]", options());
    assert.ok(names(installed).includes("pysocks 1.7.1"), names(installed));
    assert.ok(names(installed).includes("requests 2.32.4"));
    // Wanted of what is loaded, they come all the same.
    await fresh();
    await install("requests", options());
    assert.deepEqual(names(await install("requests[socks]", options())), ["pysocks 1.7.1"]);
  });

  it("micropip of the distribution and install share one set", async () => {
    await fresh();
    await install("needs-numpy", options());
    const { value } = await run(`
import micropip
micropip.set_index_urls(["${index.root}"])
await micropip.install("needs-numpy==1.0")
await micropip.install("pandas_patch")
sorted(micropip.list())`);
    assert.ok(value.includes("needs-numpy"), value);
    assert.equal(index.log.filter(({ path, range }) => path.includes("/files/needs_numpy") && !range).length, 1);
    assert.ok(names(await loaded()).includes("python-dateutil 3.0"), names(await loaded()));
    assert.deepEqual(await install(["pandas-patch", "python-dateutil==3.*"], options()), []);
    // What micropip loads from the lock file through Pyodide is known as well.
    await run(`micropip.set_index_urls(["https://pypi.org/simple"])\nawait micropip.install("regex")`);
    const regex = (await loaded()).find(({ name }) => name === "regex");
    assert.deepEqual([regex.version, regex.source], ["2024.11.6", "lock"]);
    assert.deepEqual(await install("regex", options()), []);
  });
});
