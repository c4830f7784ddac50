/** `python.install` against package indexes on another origin, with real wheels and with wheels that lie. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { realWheel, startIndex, wheel } from "../support/simple-index.mjs";

const names = (packages) => packages.map(({ name, version }) => `${name} ${version}`).sort();

/** Functions of a page's shared interpreter. */
function using(getApi) {
  const call = (method, args) =>
    getApi().evaluate(async ([method, args]) => (await shared())[method](...args), [method, args]);
  return {
    run: (code) => call("run", [code]),
    install: (...args) => call("install", args),
    installFails: (...args) => getApi().evaluate(async (args) => caught((await shared()).install(...args)), args),
    loaded: () => call("loadedPackages", []),
    freeze: () => call("freeze", []),
    fresh: () =>
      getApi().evaluate(() => {
        globalThis.sharedPython?.then((python) => python.dispose());
        globalThis.sharedPython = undefined;
      }),
  };
}

describe("compiled wheels from an index, on 314.0.7", { timeout: 300_000 }, () => {
  const folder = distributionFolder("314.0.7");
  let api;
  let index;
  let lock;
  const { run, install, installFails, loaded, freeze } = using(() => api);

  before(async () => {
    const wheels = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    index = await startIndex(
      await Promise.all(
        wheels.map((name) => realWheel(join(folder, name), { offersMetadata: name.startsWith("pydantic-") })),
      ),
      { absolute: true },
    );
    lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    for (const name of [
      "pydantic",
      "pydantic-core",
      "annotated-types",
      "typing-extensions",
      "typing-inspection",
      "micropip",
    ]) {
      delete lock.packages[name];
    }
    api = await openApiPage({ version: "314.0.7" });
    await api.evaluate(
      ([lockFileContents, root]) => {
        globalThis.sharedPython = start({ lockFileContents, indexURLs: [root] });
      },
      [lock, index.root],
    );
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });

  it("pydantic and msgpack>=1.2 are found, fetched together and work", async () => {
    const installed = await install(["pydantic", "msgpack>=1.2"]);
    assert.deepEqual(names(installed), [
      "annotated-types 0.8.0",
      "msgpack 1.2.4",
      "pydantic 2.14.3",
      "pydantic-core 2.50.4",
      "typing-extensions 4.16.0",
      "typing-inspection 0.4.5",
    ]);
    assert.ok(installed.every(({ source }) => source.startsWith(`${index.url}/files/`)));
    const { value } = await run(`
import msgpack, pydantic
from msgpack import _cmsgpack
class User(pydantic.BaseModel):
    name: str
    age: int
user = User.model_validate_json('{"name": "Ada", "age": "36"}')
[user.age, msgpack.unpackb(_cmsgpack.Packer().pack([1, 2])), msgpack.version[0:2] >= (1, 2)]`);
    assert.deepEqual(value, [36, [1, 2], true]);
  });

  it("metadata is read beside a wheel where offered, else out of its end", () => {
    const of = (name) => index.log.filter(({ path }) => path.startsWith(`/files/${name}-`));
    assert.deepEqual(
      of("pydantic")
        .map(({ method, path }) => `${method} ${path.endsWith(".metadata") ? "metadata" : "wheel"}`)
        .sort(),
      ["GET metadata", "GET wheel"],
    );
    const core = of("pydantic_core");
    assert.ok(core.length >= 2 && core.slice(0, -1).every(({ range }) => range), JSON.stringify(core));
    const inParts = core.filter(({ range }) => range).reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(inParts < 200_000, `${inParts} bytes of metadata`);
    assert.equal(core.filter(({ range }) => !range).length, 1, "the wheel itself comes once");
    // The small ones are not worth three requests.
    assert.equal(of("annotated_types").length, 1);
    assert.ok(!index.log.some(({ method }) => method === "OPTIONS"), "nothing is asked beforehand");
  });

  it("what is there is not installed again, and nothing is asked for", async () => {
    const before = index.log.length;
    assert.deepEqual(await install(["pydantic>=2", "msgpack"]), []);
    assert.equal(index.log.length, before);
  });

  it("another version of what is loaded is a conflict that says so", async () => {
    const error = await installFails("msgpack<1.2");
    assert.deepEqual([error.name, error.code], ["ResolutionError", "RESOLUTION"]);
    assert.match(error.message, /You require msgpack<1\.2, but there is only 1\.2\.4\./);
    assert.match(error.message, /msgpack 1\.2\.4 is loaded; it takes a restart to replace it\./);
    assert.match(error.hint, /Restart/);
  });

  it("importlib.metadata says who installed it and from where", async () => {
    const { value } = await run(`
import importlib.metadata as metadata
d = metadata.distribution("msgpack")
[d.version, d.read_text("INSTALLER"), d.read_text("direct_url.json"), d.read_text("PYODIDE_URL").startswith("http")]`);
    assert.deepEqual(value, ["1.2.4", "taipan", null, true]);
  });

  it("micropip from the index sees all of it, installs more, and that is seen here", async () => {
    await install("micropip");
    const { value } = await run(`
import micropip
micropip.set_index_urls(["${index.root}"])
before = sorted(micropip.list())
await micropip.install("pydantic>=2.14")
await micropip.install("msgspec")
import msgspec
[before, msgspec.json.decode(b"[1]")]`);
    assert.ok(
      ["msgpack", "pydantic"].every((name) => value[0].includes(name)),
      value[0],
    );
    assert.deepEqual(value[1], [1]);
    const msgspec = (await loaded()).find(({ name }) => name === "msgspec");
    assert.equal(msgspec.version, "0.22.0");
    assert.ok(msgspec.source.endsWith("/files/msgspec-0.22.0-cp314-cp314-pyemscripten_2026_0_wasm32.whl"));
    const before = index.log.length;
    assert.deepEqual(await install("msgspec>=0.22"), []);
    assert.equal(index.log.length, before);
    await run(`micropip.uninstall("msgspec")`);
    assert.ok(!(await loaded()).some(({ name }) => name === "msgspec"), "what micropip takes away is gone here");
  });

  it("freeze gives a lock file that brings the same files into a fresh interpreter", async () => {
    const text = await freeze();
    const frozen = JSON.parse(text);
    assert.equal(frozen.packages.msgpack.version, "1.2.4");
    assert.deepEqual(frozen.packages["pydantic-core"].imports, ["pydantic_core"]);
    assert.ok(frozen.packages.pydantic.depends.includes("pydantic-core"), frozen.packages.pydantic.depends);
    assert.deepEqual(frozen.packages.numpy, lock.packages.numpy, "the rest is as it was");
    const { value, packages } = await api.evaluate(async (lockFileContents) => {
      const python = await start({ lockFileContents, indexURLs: [] });
      const { value } = await python.run(
        "import msgpack, pydantic\n[msgpack.version, pydantic.VERSION, pydantic.TypeAdapter(int).validate_python('3')]",
      );
      const packages = await python.loadedPackages();
      python.dispose();
      return { value, packages };
    }, text);
    assert.deepEqual(value, [[1, 2, 4], "2.14.3", 3]);
    assert.ok(names(packages).includes("pydantic-core 2.50.4"));
  });
});

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

describe("indexes and wheels as they are in the world, on 0.28.3", { timeout: 300_000 }, () => {
  let api;
  let index;
  const { run, install, installFails, loaded, freeze, fresh } = using(() => api);
  const options = (more) => ({ indexURLs: [index.root], ...more });
  const offer = (...files) => index.files.splice(0, index.files.length, ...files);

  before(async () => {
    index = await startIndex([]);
    api = await openApiPage();
  });
  after(async () => {
    await api?.close();
    await index?.close();
  });
  beforeEach(async () => {
    index.log.length = 0;
    for (const path of Object.keys(index.pages)) delete index.pages[path];
  });

  /** After whatever went wrong: nothing of it is there, and the interpreter goes on. */
  async function nothingHappened(...packages) {
    const here = (await loaded()).map(({ name }) => name);
    assert.ok(
      packages.every((name) => !here.includes(name)),
      here.join(),
    );
    assert.equal((await run("6 * 7")).value, 42);
  }

  it("pages in HTML do as well", async () => {
    const html = await startIndex(
      [
        wheel("in_html", "1.0", { requires: ["also_in_html"] }),
        { ...wheel("also_in_html", "2.0"), offersMetadata: true },
      ],
      { html: true },
    );
    const installed = await install("in_html", { indexURLs: [`${html.root}/`] });
    await html.close();
    assert.deepEqual(names(installed), ["also-in-html 2.0", "in-html 1.0"]);
    assert.ok(html.log.some(({ path }) => path.endsWith("also_in_html-2.0-py3-none-any.whl.metadata")));
  });

  it("a project that the first index does not have is found at the next, and the first that has it counts", async () => {
    offer(wheel("here", "1.0"));
    const second = await startIndex([wheel("here", "9.0"), wheel("there", "1.0")]);
    const installed = await install(["here", "there"], { indexURLs: [index.root, second.root] });
    await second.close();
    assert.deepEqual(names(installed), ["here 1.0", "there 1.0"]);
    assert.ok(!second.log.some(({ path }) => path === "/simple/here/"), "a later index cannot take a name over");
  });

  it("a redirect to another origin is followed, and addresses are relative to where it led", async () => {
    const other = await startIndex([wheel("moved", "1.0")]);
    index.pages["/simple/moved/"] = (_, response) =>
      response.writeHead(302, { Location: `${other.root}/moved/` }).end();
    const [{ source }] = await install("moved", options());
    assert.ok(source.startsWith(`${other.url}/files/`), source);
    await other.close();
  });

  it("a redirect to an origin that does not allow it is an error that says what to check", async () => {
    const other = await startIndex([wheel("walled", "1.0")], { cors: false });
    index.pages["/simple/walled/"] = (_, response) =>
      response.writeHead(302, { Location: `${other.root}/walled/` }).end();
    const error = await installFails("walled", options());
    await other.close();
    assert.equal(error.code, "LOAD_NETWORK");
    assert.match(error.hint, /CORS/);
    await nothingHappened("walled");
  });

  const PAGES = [
    [
      "a web page of some site",
      "text/html",
      "<!doctype html><title>App</title><div id=root></div>",
      /it is a web page/,
    ],
    [
      "JSON of something else",
      "application/vnd.pypi.simple.v1+json",
      '{"message": "hello"}',
      /not the JSON of a project/,
    ],
    ["JSON cut short", "application/vnd.pypi.simple.v1+json", '{"meta": {"api-ver', /not the JSON of a project/],
    [
      "another project",
      "application/vnd.pypi.simple.v1+json",
      '{"meta": {"api-version": "1.0"}, "name": "evil", "files": []}',
      /the page of "evil"/,
    ],
    [
      "a newer protocol",
      "application/vnd.pypi.simple.v2+json",
      '{"meta": {"api-version": "2.0"}, "name": "odd", "files": []}',
      /version "2\.0"/,
    ],
    ["a picture", "image/png", "\x89PNG", /image\/png/],
  ];
  for (const [what, type, body, message] of PAGES) {
    it(`an index that answers with ${what} is none`, async () => {
      index.pages["/simple/odd/"] = (_, response) =>
        response.writeHead(200, { "Content-Type": type, "Access-Control-Allow-Origin": "*" }).end(body);
      const error = await installFails("odd", options());
      assert.deepEqual([error.name, error.code], ["LoadError", "BAD_INDEX"]);
      assert.match(error.message, message);
      await nothingHappened("odd");
    });
  }

  it("an index page without end is cut off", async () => {
    let sent = 0;
    index.pages["/simple/endless/"] = (_, response) => {
      response.writeHead(200, { "Content-Type": "text/html", "Access-Control-Allow-Origin": "*" });
      const more = () => {
        while (!response.destroyed && sent < 200e6) {
          sent += 1 << 20;
          if (!response.write(Buffer.alloc(1 << 20, " "))) return;
        }
        response.end();
      };
      response.on("drain", more);
      more();
    };
    const error = await installFails("endless", options());
    assert.equal(error.code, "BAD_INDEX");
    assert.match(error.message, /more than \d+ bytes/);
    assert.ok(sent < 120e6, `${sent} bytes were sent`);
    await nothingHappened("endless");
  });

  it("an index that is busy for a moment is asked again; one that fails is an error and not a project less", async () => {
    offer(wheel("patient", "1.0"));
    let failures = 0;
    const busy = (times) => (_, response) => {
      failures += 1;
      if (failures >= times) delete index.pages["/simple/patient/"];
      response.writeHead(503, { "Access-Control-Allow-Origin": "*" }).end();
    };
    index.pages["/simple/patient/"] = busy(2);
    assert.deepEqual(names(await install("patient", options())), ["patient 1.0"]);
    index.pages["/simple/broken/"] = (_, response) =>
      response.writeHead(500, { "Access-Control-Allow-Origin": "*" }).end();
    assert.equal((await installFails("broken", options())).code, "LOAD_HTTP");
  });

  it("a requirement nobody can meet is explained", async () => {
    offer(
      wheel("pncdas_helper", "1.0", { requires: ["not-anywhere>=2"] }),
      wheel("young", "1.0"),
      wheel("young", "1.1"),
    );
    const unknown = await installFails("pnadas", options());
    assert.deepEqual([unknown.name, unknown.code], ["PackageNotFoundError", "PACKAGE_NOT_FOUND"]);
    assert.deepEqual(unknown.suggestions, ["pandas"]);
    const deep = await installFails("pncdas-helper", options());
    assert.equal(deep.code, "RESOLUTION");
    assert.match(deep.message, /pncdas-helper 1\.0 requires not-anywhere>=2, but neither the lock file nor .* has it/);
    const old = await installFails("young>=2", options());
    assert.match(old.message, /You require young>=2, but there is only 1\.1, 1\.0\./);
    await nothingHappened("young", "pncdas-helper");
  });

  it("conflicts between packages are explained in sentences", async () => {
    offer(
      wheel("left", "1.0", { requires: ["shared_thing<2"] }),
      wheel("right", "1.0", { requires: ["shared_thing>=2"] }),
      wheel("shared_thing", "1.5"),
      wheel("shared_thing", "2.5"),
    );
    const error = await installFails(["left", "right"], options());
    assert.equal(error.code, "RESOLUTION");
    assert.match(error.message, /left 1\.0 requires shared-thing<2\./);
    assert.match(error.message, /right 1\.0 requires shared-thing>=2\./);
    await nothingHappened("left", "right", "shared-thing");
  });

  it("packages that need each other come together", async () => {
    offer(wheel("hen", "1.0", { requires: ["egg"] }), wheel("egg", "1.0", { requires: ["hen>=1"] }));
    assert.deepEqual(names(await install("hen", options())), ["egg 1.0", "hen 1.0"]);
  });

  it("older versions are tried where the newest does not fit: tags, Python, yanked files, pre-releases", async () => {
    offer(
      wheel("choosy", "5.0", { tag: "cp313-cp313-win_amd64" }),
      wheel("choosy", "4.0", { python: ">=3.99" }),
      { ...wheel("choosy", "3.0"), yanked: "oops" },
      wheel("choosy", "3.0rc1"),
      wheel("choosy", "2.0"),
      wheel("choosy", "1.0"),
    );
    assert.deepEqual(names(await install("choosy", options())), ["choosy 2.0"]);
    await fresh();
    assert.deepEqual(names(await install("choosy==3.0", options())), ["choosy 3.0"], "pinned, though yanked");
    await fresh();
    assert.deepEqual(names(await install("choosy", options({ pre: true }))), ["choosy 3.0rc1"]);
    await fresh();
    assert.deepEqual(names(await install("choosy", options({ constraints: ["choosy<2"] }))), ["choosy 1.0"]);
    await fresh();
    const error = await installFails("choosy>=4", options());
    assert.match(error.message, /choosy 5\.0 cannot be used: no wheel of it fits this interpreter\./);
    assert.match(error.message, /choosy 4\.0 cannot be used: it needs Python >=3\.99\./);
  });

  it("extras and markers of this interpreter count", async () => {
    offer(
      wheel("marked", "1.0", {
        requires: [
          "on_emscripten; sys_platform == 'emscripten'",
          "on_windows; sys_platform == 'win32'",
          "for_old; python_version < '3.9'",
          "fast_thing; extra == 'fast'",
        ],
      }),
      wheel("on_emscripten", "1.0"),
      wheel("fast_thing", "1.0"),
    );
    assert.deepEqual(names(await install("marked[fast]", options())), [
      "fast-thing 1.0",
      "marked 1.0",
      "on-emscripten 1.0",
    ]);
  });

  it("wheels by address bring what they need, and say where they are from", async () => {
    offer(wheel("by_address", "1.0", { requires: ["beside"] }), wheel("by_name", "2.0"), wheel("beside", "1.0"));
    const at = (name) => `${index.url}/files/${name}`;
    const installed = await install(
      [at("by_address-1.0-py3-none-any.whl"), `by-name @ ${at("by_name-2.0-py3-none-any.whl")}`],
      options(),
    );
    assert.deepEqual(names(installed), ["beside 1.0", "by-address 1.0", "by-name 2.0"]);
    const { value } = await run(`
import importlib.metadata, json
json.loads(importlib.metadata.distribution("by_name").read_text("direct_url.json"))["url"]`);
    assert.equal(value, at("by_name-2.0-py3-none-any.whl"));
    assert.deepEqual(await install(`by-name @ ${at("by_name-2.0-py3-none-any.whl")}`, options()), [], "it is there");
    const elsewhere = await installFails("by-name @ https://example.org/by_name-2.0-py3-none-any.whl", options());
    assert.equal(elsewhere.code, "RESOLUTION");
    assert.match(elsewhere.message, /by-name 2\.0 of http.* is loaded, and it takes a restart to replace it/);
  });

  it("an address with a hash holds to it", async () => {
    offer(wheel("hashed", "1.0"));
    const url = `${index.url}/files/hashed-1.0-py3-none-any.whl`;
    const error = await installFails(`${url}#sha256=${"0".repeat(64)}`, options());
    assert.equal(error.code, "INTEGRITY");
    await nothingHappened("hashed");
  });

  it("wheels in Python's own file system are installed, and cannot be frozen", async () => {
    offer(wheel("beside_local", "1.0"));
    const local = wheel("local_one", "1.0", { requires: ["beside_local"] });
    await api.evaluate(
      async (bytes) => (await shared()).fs.writeFile("/tmp/local_one-1.0-py3-none-any.whl", new Uint8Array(bytes)),
      [...local.bytes],
    );
    const installed = await install("emfs:/tmp/local_one-1.0-py3-none-any.whl", options());
    assert.deepEqual(names(installed), ["beside-local 1.0", "local-one 1.0"]);
    assert.equal((await run("import local_one; local_one.version")).value, "1.0");
    const error = await api.evaluate(async () => caught((await shared()).freeze()));
    assert.equal(error.code, "NOT_SUPPORTED");
    assert.match(error.message, /local-one 1\.0 .* emfs:/);
    await fresh();
    assert.equal((await installFails("emfs:/tmp/gone-1.0-py3-none-any.whl")).code, "FILE_SYSTEM");
  });

  it("servers without ranges send the wheel once, and it is kept", async () => {
    const big = wheel("bulky", "1.0", { files: { "bulky.py": `data = ${JSON.stringify("x".repeat(300_000))}\n` } });
    const whole = await startIndex([{ ...big, saysSize: false }], { ranges: false });
    assert.deepEqual(names(await install("bulky", { indexURLs: [whole.root] })), ["bulky 1.0"]);
    await whole.close();
    const requests = whole.log.filter(({ path }) => path.endsWith(".whl"));
    assert.deepEqual(
      requests.map(({ method }) => method),
      ["HEAD", "GET"],
    );
  });

  const LIES = [
    ["METADATA that names another project", { metadata: "Name: someone_else\nVersion: 1.0\n" }, /names someone_else/],
    ["METADATA of another version", { metadata: "Name: liar\nVersion: 7.0\n" }, /version 7\.0/],
    ["METADATA that is none", { metadata: "\x00\x01 nonsense" }, /METADATA/],
    [
      "a requirement that is none",
      { metadata: "Name: liar\nVersion: 1.0\nRequires-Dist: ???\n" },
      /it requires "\?\?\?"/,
    ],
  ];
  for (const [what, lie, message] of LIES) {
    it(`a wheel with ${what} cannot be used, and an older one is taken if there is one`, async () => {
      offer(wheel("liar", "1.0", lie));
      const error = await installFails("liar", options());
      assert.equal(error.code, "RESOLUTION");
      assert.match(error.message, message);
      await nothingHappened("liar");
      offer(wheel("liar", "1.0", lie), wheel("liar", "0.9"));
      assert.deepEqual(names(await install("liar", options())), ["liar 0.9"]);
      await fresh();
    });
  }

  it("a wheel whose RECORD lies is refused, and so is all that was to come with it", async () => {
    offer(
      wheel("honest", "1.0", { requires: ["crook"] }),
      wheel("crook", "1.0", { record: (text) => `${text}missing.py,,\n` }),
    );
    const error = await installFails("honest", options());
    assert.equal(error.code, "BAD_WHEEL");
    assert.match(error.message, /missing\.py is listed and missing/);
    await nothingHappened("honest", "crook");
  });

  it("a wheel of other bytes than the index says is refused", async () => {
    offer({ ...wheel("swapped", "1.0"), hash: "0".repeat(64) });
    assert.equal((await installFails("swapped", options())).code, "INTEGRITY");
    await nothingHappened("swapped");
  });

  it("metadata beside a wheel that is not the wheel's is refused", async () => {
    const real = wheel("two_faced", "1.0", { requires: ["nothing-special"] });
    offer({ ...real, offersMetadata: true });
    index.pages["/simple/two-faced/"] = (_, response) =>
      response
        .writeHead(200, { "Content-Type": "application/vnd.pypi.simple.v1+json", "Access-Control-Allow-Origin": "*" })
        .end(
          JSON.stringify({
            meta: { "api-version": "1.0" },
            name: "two-faced",
            files: [
              {
                filename: real.filename,
                url: `${index.url}/files/${real.filename}`,
                hashes: {},
                "core-metadata": true,
              },
            ],
          }),
        );
    index.pages[`/files/${real.filename}.metadata`] = (_, response) =>
      response.writeHead(200, { "Access-Control-Allow-Origin": "*" }).end("Name: two_faced\nVersion: 1.0\n");
    const error = await installFails("two_faced", options());
    assert.equal(error.code, "BAD_WHEEL");
    assert.match(error.message, /requires other packages than the index says/);
    await nothingHappened("two-faced");
  });

  it("two packages that bring the same module are not installed together, unless it is the same file", async () => {
    const files = (text) => ({ "claimed/__init__.py": text });
    offer(
      wheel("claim_one", "1.0", { files: files("one = 1\n") }),
      wheel("claim_two", "1.0", { files: files("two = 2\n") }),
      wheel("space_one", "1.0", { files: { "space/__init__.py": "# namespace\n", "space/one.py": "" } }),
      wheel("space_two", "1.0", { files: { "space/__init__.py": "# namespace\n", "space/two.py": "" } }),
      wheel("fake_six", "1.0", { files: { "six.py": "evil = True\n" } }),
    );
    const error = await installFails(["claim_one", "claim_two"], options());
    assert.equal(error.code, "RESOLUTION");
    assert.match(error.message, /claim-one and claim-two both bring the module claimed/);
    await nothingHappened("claim-one", "claim-two");
    await install("claim_one", options());
    const later = await installFails("claim_two", options());
    assert.match(later.message, /claim-one and claim-two both bring the module claimed/);
    await install(["six", "space_one"], options());
    assert.match((await installFails("fake_six", options())).message, /six and fake-six both bring the module six/);
    assert.deepEqual(names(await install("space_two", options())), ["space-two 1.0"]);
    assert.equal((await run("import claimed, space.one, space.two; claimed.one")).value, 1);
  });

  it("wrong requirements and options are named", async () => {
    for (const wrong of ["a b", "x>=", "x @ ftp://example.org/x-1-py3-none-any.whl", "https://example.org/x.whl"]) {
      assert.equal((await installFails(wrong, options())).code, "BAD_REQUIREMENT", wrong);
    }
    assert.equal((await installFails(`${index.url}/a-1-cp313-cp313-win_amd64.whl`)).code, "WRONG_ABI");
    assert.equal((await installFails("y @ https://example.org/x-1-py3-none-any.whl")).code, "BAD_REQUIREMENT");
    for (const bad of [[], "", [7], null]) {
      if (Array.isArray(bad) && bad.length === 0) assert.deepEqual(await install(bad), []);
      else assert.equal((await installFails(bad)).code, "BAD_ARGUMENT");
    }
    for (const bad of [{ indexURLs: "x" }, { constraints: "x" }, { pre: "yes" }]) {
      assert.equal((await installFails("six", bad)).code, "BAD_ARGUMENT", JSON.stringify(bad));
    }
    assert.equal((await installFails("six", { constraints: ["a b"] })).code, "BAD_REQUIREMENT");
  });

  it("an installation that is given up leaves nothing behind", async () => {
    index.pages["/simple/slow/"] = () => {};
    const { error, waited } = await api.evaluate(async (root) => {
      const python = await shared();
      const controller = new AbortController();
      const installing = caught(python.install("slow", { indexURLs: [root], signal: controller.signal }));
      await sleep(300);
      const began = performance.now();
      controller.abort();
      return { error: await installing, waited: performance.now() - began };
    }, index.root);
    assert.equal(error.code, "ABORTED");
    assert.ok(waited < 3000);
    offer(wheel("slow", "1.0"));
    delete index.pages["/simple/slow/"];
    assert.deepEqual(names(await install("slow", options())), ["slow 1.0"]);
  });

  it("an index that stalls is an error, and holds nobody up", async () => {
    offer(wheel("prompt", "1.0"));
    index.pages["/simple/mute/"] = () => {};
    index.pages["/simple/halting/"] = (_, response) => {
      response.writeHead(200, { "Content-Type": "application/vnd.pypi.simple.v1+json" }).write('{"files": [');
    };
    const found = await api.evaluate(async (root) => {
      const python = await start({ indexURLs: [root], stallTimeoutMs: 400 });
      const patience = sleep(30_000).then(() => "nothing for 30 s");
      const outcomes = [];
      for (const name of ["mute", "halting", "prompt"]) {
        outcomes.push(await Promise.race([caught(python.install(name)), patience]));
      }
      python.dispose();
      return outcomes;
    }, index.root);
    for (const [position, name] of ["mute", "halting"].entries()) {
      const error = found[position];
      assert.equal(error.code, "LOAD_NETWORK", JSON.stringify(error));
      assert.match(error.message, new RegExp(`/simple/${name}/ stopped: not a byte came for 0\\.4 s`));
      assert.match(error.hint, /stallTimeoutMs/);
    }
    assert.deepEqual(names(found[2].resolved), ["prompt 1.0"]);
  });

  it("freeze writes what was installed by address, with its hash", async () => {
    await fresh();
    offer(wheel("iced", "1.0", { requires: ["cube"] }), wheel("cube", "1.0"));
    await install(["iced", "six"], options());
    const frozen = JSON.parse(await freeze());
    assert.equal(frozen.packages.iced.file_name, `${index.url}/files/iced-1.0-py3-none-any.whl`);
    assert.deepEqual([frozen.packages.iced.depends, frozen.packages.iced.imports], [["cube"], ["iced"]]);
    assert.equal(frozen.packages.six.file_name, "six-1.17.0-py2.py3-none-any.whl");
    const { value } = await api.evaluate(async (lockFileContents) => {
      const python = await start({ lockFileContents, packages: ["iced"] });
      const result = await python.run("import iced, cube; [iced.version, cube.version]");
      python.dispose();
      return result;
    }, frozen);
    assert.deepEqual(value, ["1.0", "1.0"]);
  });
});
