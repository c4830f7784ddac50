/** `python.install` of wheels as they are in the world: conflicts, extras, addresses, wheels that lie. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startIndex, wheel } from "../support/simple-index.mjs";
import { names, useIndex } from "./support/installer.mjs";

describe("wheels as they are in the world, on 0.28.3", { timeout: 300_000 }, () => {
  const world = useIndex();
  const { fresh, freeze, install, installFails, nothingHappened, offer, options, run } = world;

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
    const at = (name) => `${world.index.url}/files/${name}`;
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
    const url = `${world.index.url}/files/hashed-1.0-py3-none-any.whl`;
    const error = await installFails(`${url}#sha256=${"0".repeat(64)}`, options());
    assert.equal(error.code, "INTEGRITY");
    await nothingHappened("hashed");
  });

  it("wheels in Python's own file system are installed, and cannot be frozen", async () => {
    offer(wheel("beside_local", "1.0"));
    const local = wheel("local_one", "1.0", { requires: ["beside_local"] });
    await world.api.evaluate(
      async (bytes) => (await shared()).fs.writeFile("/tmp/local_one-1.0-py3-none-any.whl", new Uint8Array(bytes)),
      [...local.bytes],
    );
    const installed = await install("emfs:/tmp/local_one-1.0-py3-none-any.whl", options());
    assert.deepEqual(names(installed), ["beside-local 1.0", "local-one 1.0"]);
    assert.equal((await run("import local_one; local_one.version")).value, "1.0");
    const error = await world.api.evaluate(async () => caught((await shared()).freeze()));
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
    world.index.pages["/simple/two-faced/"] = (_, response) =>
      response
        .writeHead(200, { "Content-Type": "application/vnd.pypi.simple.v1+json", "Access-Control-Allow-Origin": "*" })
        .end(
          JSON.stringify({
            meta: { "api-version": "1.0" },
            name: "two-faced",
            files: [
              {
                filename: real.filename,
                url: `${world.index.url}/files/${real.filename}`,
                hashes: {},
                "core-metadata": true,
              },
            ],
          }),
        );
    world.index.pages[`/files/${real.filename}.metadata`] = (_, response) =>
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
    assert.equal((await installFails(`${world.index.url}/a-1-cp313-cp313-win_amd64.whl`)).code, "WRONG_ABI");
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
    world.index.pages["/simple/slow/"] = () => {};
    const { error, waited } = await world.api.evaluate(async (root) => {
      const python = await shared();
      const controller = new AbortController();
      const installing = caught(python.install("slow", { indexURLs: [root], signal: controller.signal }));
      await sleep(300);
      const began = performance.now();
      controller.abort();
      return { error: await installing, waited: performance.now() - began };
    }, world.index.root);
    assert.equal(error.code, "ABORTED");
    assert.ok(waited < 3000);
    offer(wheel("slow", "1.0"));
    delete world.index.pages["/simple/slow/"];
    assert.deepEqual(names(await install("slow", options())), ["slow 1.0"]);
  });

  it("an index that stalls is an error, and holds nobody up", async () => {
    offer(wheel("prompt", "1.0"));
    world.index.pages["/simple/mute/"] = () => {};
    world.index.pages["/simple/halting/"] = (_, response) => {
      response.writeHead(200, { "Content-Type": "application/vnd.pypi.simple.v1+json" }).write('{"files": [');
    };
    const found = await world.api.evaluate(async (root) => {
      const python = await start({ indexURLs: [root], stallTimeoutMs: 400 });
      const patience = sleep(30_000).then(() => "nothing for 30 s");
      const outcomes = [];
      for (const name of ["mute", "halting", "prompt"]) {
        outcomes.push(await Promise.race([caught(python.install(name)), patience]));
      }
      python.dispose();
      return outcomes;
    }, world.index.root);
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
    assert.equal(frozen.packages.iced.file_name, `${world.index.url}/files/iced-1.0-py3-none-any.whl`);
    assert.deepEqual([frozen.packages.iced.depends, frozen.packages.iced.imports], [["cube"], ["iced"]]);
    assert.equal(frozen.packages.six.file_name, "six-1.17.0-py2.py3-none-any.whl");
    const { value } = await world.api.evaluate(async (lockFileContents) => {
      const python = await start({ lockFileContents, packages: ["iced"] });
      const result = await python.run("import iced, cube; [iced.version, cube.version]");
      python.dispose();
      return result;
    }, frozen);
    assert.deepEqual(value, ["1.0", "1.0"]);
  });
});
