/** What `taipan prepare` takes for packages: indexes, addresses, paths, constraints, a lock file of one's own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { openDistribution } from "../../cli/distribution.mjs";
import { gather } from "../../cli/gather.mjs";
import { progressOn } from "../../cli/output.mjs";
import { prepare } from "../../cli/prepare.mjs";
import { names } from "../../cli/requirements.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { realWheel, sha256, startIndex, wheel } from "../support/simple-index.mjs";

const SILENT = progressOn({ write: () => true });
const TOOL = join(root, "cli", "taipan.mjs");

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-packages-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** What would go into the folder, without making it. */
async function gathered(version, packages, options = {}) {
  const work = join(folder, "work");
  const distribution = await openDistribution({ distribution: distributionFolder(version), work, ...options });
  return gather(distribution, { packages, indexURLs: [], progress: SILENT, ...options });
}

/** Versions by name of what would be prepared. */
async function versions(...args) {
  const { lock, closure } = await gathered(...args);
  return Object.fromEntries(closure.sort().map((key) => [key, lock.packages[key].version]));
}

const fails = (code, message, ...args) =>
  assert.rejects(gathered(...args), (error) => {
    assert.equal(error.name, "Problem", error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.next, "says what to do");
    return true;
  });

describe("compiled wheels from an index, on 314.0.7", { timeout: 300_000 }, () => {
  const distribution = distributionFolder("314.0.7");
  let index;
  let lockFile;
  before(async () => {
    const wheels = (await readdir(distribution)).filter((name) => name.endsWith(".whl"));
    const offered = wheels.map((name) =>
      realWheel(join(distribution, name), { offersMetadata: name.startsWith("pydantic-") }),
    );
    index = await startIndex(await Promise.all(offered));
    const lock = JSON.parse(await readFile(join(distribution, "pyodide-lock.json"), "utf8"));
    for (const wheel of wheels) delete lock.packages[wheel.split("-")[0].replaceAll("_", "-")];
    lockFile = join(folder, "trimmed.json");
    await writeFile(lockFile, JSON.stringify(lock));
  });
  after(() => index?.close());

  const make = (out) =>
    prepare({
      out: join(folder, out),
      packages: ["pydantic", "msgpack>=1.2"],
      ...{ distribution, lockFile, indexURLs: [index.root], compress: "none", progress: SILENT },
    });

  it("become entries of the lock file like any other, the same each time", { timeout: 240_000 }, async () => {
    await make("compiled");
    const text = await readFile(join(folder, "compiled", "pyodide-lock.json"), "utf8");
    const { packages } = JSON.parse(text);
    const found = Object.entries(packages).map(([key, { version }]) => `${key} ${version}`);
    assert.deepEqual(found.sort(), [
      "annotated-types 0.8.0",
      "msgpack 1.2.4",
      "pydantic 2.14.3",
      "pydantic-core 2.50.4",
      "typing-extensions 4.16.0",
      "typing-inspection 0.4.5",
    ]);
    for (const { name, file_name, sha256: hash } of Object.values(packages)) {
      assert.match(file_name, /^files\/[0-9a-f]{16}\/[^/]+\.whl$/, name);
      assert.equal(sha256(await readFile(join(folder, "compiled", file_name))), hash, name);
    }
    const { imports, depends, install_dir } = packages.pydantic;
    assert.deepEqual([imports, install_dir], [["pydantic"], "site"]);
    assert.deepEqual(depends, ["annotated-types", "pydantic-core", "typing-extensions", "typing-inspection"]);
    assert.deepEqual(packages["typing-extensions"].imports, ["typing_extensions"]);
    await make("compiled-again");
    assert.equal(await readFile(join(folder, "compiled-again", "pyodide-lock.json"), "utf8"), text);
    assert.equal((await make("compiled")).isFresh, false, "nothing is left to do");
  });

  it("are looked for by metadata beside them where that is offered, else in themselves", () => {
    const asked = index.log.map(({ path }) => path);
    assert.ok(asked.includes("/files/pydantic-2.14.3-py3-none-any.whl.metadata"));
    assert.ok(!asked.some((path) => path.startsWith("/files/msgpack") && path.endsWith(".metadata")));
  });
});

describe("pure wheels, on 0.28.3", { timeout: 120_000 }, () => {
  let index;
  const offer = (...files) => index.files.splice(0, index.files.length, ...files);
  before(async () => {
    index = await startIndex([]);
  });
  after(() => index?.close());
  beforeEach(() => {
    index.log.length = 0;
    for (const path of Object.keys(index.pages)) delete index.pages[path];
  });
  const asking = () => ({ indexURLs: [index.root] });

  it("the lock file comes first, and an index is not asked for what it has", async () => {
    offer(wheel("six", "9.0"));
    assert.deepEqual(await versions("0.28.3", ["six"], asking()), { six: "1.17.0" });
    assert.deepEqual(index.log, []);
    assert.deepEqual(await versions("0.28.3", ["six>2"], asking()), { six: "9.0" });
  });

  it("extras, markers and constraints are those of the distribution's Python", async () => {
    offer(
      wheel("alpha", "1.0", {
        requires: [
          "beta[fast]; sys_platform == 'emscripten' and python_version == '3.13'",
          "never; sys_platform != 'emscripten'",
          "six",
        ],
      }),
      wheel("alpha", "2.0"),
      wheel("beta", "1.5", { requires: ["gamma>=1; extra == 'fast'", "slow; extra == 'slow'"] }),
      wheel("gamma", "1.0"),
      wheel("gamma", "2.0a1"),
    );
    const options = { ...asking(), constraints: ["alpha<2", "unheard-of==1"] };
    const expected = { alpha: "1.0", beta: "1.5", gamma: "1.0", six: "1.17.0" };
    assert.deepEqual(await versions("0.28.3", ["alpha"], options), expected);
    assert.equal((await versions("0.28.3", ["gamma"], { ...asking(), pre: true })).gamma, "2.0a1");
    assert.deepEqual(await versions("0.28.3", ['gamma; python_version < "3.13"', "six"], asking()), { six: "1.17.0" });
  });

  it("the first index that knows a project has all its files", async () => {
    const second = await startIndex([wheel("delta", "9.0"), wheel("epsilon", "1.0")]);
    try {
      offer(wheel("delta", "1.0"));
      const indexURLs = [index.root, `${second.url}/simple/{package_name}/`];
      assert.deepEqual(await versions("0.28.3", ["delta", "epsilon"], { indexURLs }), { delta: "1.0", epsilon: "1.0" });
    } finally {
      await second.close();
    }
  });

  it("wheels are taken by path and by address, with their hash", async () => {
    const mine = wheel("mine", "1.0+local", { requires: ["six"], files: { "mine/__init__.py": "", "tool.py": "" } });
    await mkdir(join(folder, "wheels here"), { recursive: true });
    const path = join(folder, "wheels here", mine.filename);
    await writeFile(path, mine.bytes);
    const address = `${index.url}/files/${encodeURIComponent(mine.filename)}`;
    offer(mine);
    for (const requirement of [
      path,
      `mine @ ${path}; sys_platform == "emscripten"`,
      `mine @ ${pathToFileURL(path).href}`,
      address,
      `mine @ ${address}#sha256=${sha256(mine.bytes)}`,
    ]) {
      const { lock, closure } = await gathered("0.28.3", [requirement]);
      assert.deepEqual(closure, ["six", "mine"], requirement);
      const { version, sha256: hash, imports, depends, file_name } = lock.packages.mine;
      assert.deepEqual(
        [version, hash, imports, depends],
        ["1.0+local", sha256(mine.bytes), ["mine", "tool"], ["six"]],
        requirement,
      );
      assert.equal(file_name, mine.filename);
    }
    await fails("INTEGRITY", /SHA-256 is/, "0.28.3", [`mine @ ${address}#sha256=${"0".repeat(64)}`]);
    await fails("BAD_REQUIREMENT", /one of mine/, "0.28.3", [`yours @ ${address}`]);
    await fails("LOAD_HTTP", /404/, "0.28.3", [`${index.url}/files/none-1.0-py3-none-any.whl`]);
    await fails("FILE_SYSTEM", /none-1\.0/, "0.28.3", [join(folder, "none-1.0-py3-none-any.whl")]);
    // Nor does a wheel of a stranger's have anything of this machine looked for.
    offer(wheel("stranger", "1.0", { requires: [`mine @ ${pathToFileURL(path).href}`] }));
    await fails("RESOLUTION", /no address on the network/, "0.28.3", ["stranger"], asking());
  });

  it("what cannot be is said in sentences, and what kind of problem it is", async () => {
    offer(
      wheel("left", "1.0", { requires: ["shared<2"] }),
      wheel("right", "1.0", { requires: ["shared>=2"] }),
      wheel("shared", "1.0"),
      wheel("shared", "2.0"),
      wheel("old", "1.0", { python: "<3.9" }),
      wheel("native", "1.0", { tag: "cp313-cp313-manylinux_2_17_x86_64" }),
      wheel("liar", "1.0", { record: (text) => text.replace(/,\d+\n/, ",7\n") }),
      wheel("twin_a", "1.0", { files: { "twin.py": "a" } }),
      wheel("twin_b", "1.0", { files: { "twin.py": "b" } }),
      { ...wheel("damaged", "1.0"), bytes: Buffer.from("no archive") },
      { ...wheel("replaced", "1.0"), hash: "1".repeat(64) },
    );
    const problem = (code, message, ...packages) => fails(code, message, "0.28.3", packages, asking());
    await problem("RESOLUTION", /left 1\.0 requires shared<2[\s\S]*right 1\.0 requires shared>=2/, "left", "right");
    await problem("PACKAGE_NOT_FOUND", /pandsa, but neither the lock file nor http/, "pandsa");
    await problem("RESOLUTION", /needs Python <3\.9/, "old");
    await problem("RESOLUTION", /native/, "native");
    await problem("BAD_WHEEL", /another size than is listed/, "liar");
    await problem("RESOLUTION", /twin_a and twin_b both bring the module twin/, "twin_a", "twin_b");
    await problem("RESOLUTION", /damaged/, "damaged");
    await problem("INTEGRITY", /replaced-1\.0/, "replaced");
    await problem("BAD_REQUIREMENT", /expected/, "six >= ");
    await problem("WRONG_ABI", /manylinux/, `${index.url}/files/native-1.0-cp313-cp313-manylinux_2_17_x86_64.whl`);
    await fails("PACKAGE_NOT_FOUND", /no index to ask/, "0.28.3", ["pandsa"]);
    index.pages["/simple/odd/"] = (_, response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end("<!doctype html><title>Shop</title><p>Buy now");
    };
    await problem("BAD_INDEX", /not one of a package index/, "odd");
    const indexURLs = ["http://localhost:9/simple"];
    await fails("LOAD_NETWORK", /does not do for odd, and an index cannot be asked/, "0.28.3", ["odd"], { indexURLs });
  });
});

describe("a lock file of one's own", { timeout: 120_000 }, () => {
  const distribution = distributionFolder("0.28.3");
  let index;
  let lock;
  const mine = wheel("mine", "1.0", { requires: ["six"] });
  before(async () => {
    index = await startIndex([mine, wheel("mine", "2.0")]);
    lock = JSON.parse(await readFile(join(distribution, "pyodide-lock.json"), "utf8"));
    lock.packages.mine = {
      ...{ name: "mine", version: "1.0", file_name: `${index.url}/files/${mine.filename}`, sha256: sha256(mine.bytes) },
      ...{ imports: ["mine"], depends: ["six"], install_dir: "site", package_type: "package", unvendored_tests: false },
    };
  });
  after(() => index?.close());
  const written = async (name, contents) => {
    await writeFile(join(folder, name), typeof contents === "string" ? contents : JSON.stringify(contents));
    return join(folder, name);
  };

  it("decides which versions there are, by path and by address", async () => {
    const lockFile = await written("own.json", lock);
    const options = { lockFile, indexURLs: [index.root] };
    const expected = { mine: "1.0", six: "1.17.0" };
    assert.deepEqual(await versions("0.28.3", ["mine"], options), expected);
    index.pages["/lock.json"] = (_, response) => response.end(JSON.stringify(lock));
    assert.deepEqual(await versions("0.28.3", ["mine"], { lockFile: `${index.url}/lock.json` }), expected);
    const { six, mine: entry } = lock.packages;
    const small = await written("small.json", { ...lock, packages: { six, mine: entry } });
    assert.deepEqual(await versions("0.28.3", ["*"], { lockFile: small }), expected);
  });

  it("has its wheels beside it, in the distribution, or where --wheels says", async () => {
    const beside = join(folder, "beside");
    await mkdir(beside, { recursive: true });
    await writeFile(join(beside, mine.filename), mine.bytes);
    const packages = { ...lock.packages, mine: { ...lock.packages.mine, file_name: mine.filename } };
    const lockFile = await written("beside/lock.json", { ...lock, packages });
    assert.deepEqual(await versions("0.28.3", ["mine"], { lockFile }), { mine: "1.0", six: "1.17.0" });
  });

  it("of a page that had a prepared folder means the wheels that this was made from", async () => {
    const repacked = { ...lock.packages.six, file_name: `https://example.org/files/${"a".repeat(16)}/six.whl` };
    const of = (six) => ({ ...lock, packages: { ...lock.packages, six }, taipan: { inputs: "x", files: {} } });
    const lockFile = await written("repacked.json", of({ ...repacked, sha256: "0".repeat(64) }));
    const { lock: found } = await gathered("0.28.3", ["six"], { lockFile });
    assert.equal(found.packages.six.sha256, lock.packages.six.sha256);
    const other = await written("repacked-other.json", of({ ...repacked, version: "1.0" }));
    await fails("BAD_LOCK_FILE", /repacked already/, "0.28.3", ["six"], { lockFile: other });
  });

  it("has to be one, and for the same Python", async () => {
    const lockFiles = {
      "none.json": undefined,
      "text.json": "no lock",
      "abi.json": { ...lock, info: { ...lock.info, abi_version: "2024_0" } },
      "python.json": { ...lock, info: { ...lock.info, python: "3.13.9" } },
    };
    const codes = ["BAD_ARGUMENT", "BAD_LOCK_FILE", "WRONG_ABI", "WRONG_ABI"];
    for (const [name, contents] of Object.entries(lockFiles)) {
      const lockFile = contents === undefined ? join(folder, name) : await written(name, contents);
      await fails(codes.shift(), /./, "0.28.3", ["six"], { lockFile });
    }
  });
});

describe("the command", { timeout: 60_000 }, () => {
  const taipan = (...args) =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [TOOL, ...args], { cwd: folder });
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text) => {
        stderr += text;
      });
      child.on("close", (code) => resolve({ code, stderr }));
    });

  it("splits names at commas that belong to no requirement", () => {
    for (const [texts, expected] of [
      [undefined, []],
      ["", []],
      ["numpy, pandas>=2,<3", ["numpy", "pandas>=2,<3"]],
      [
        ["rich[a,b]>1", "six,pytz"],
        ["rich[a,b]>1", "six", "pytz"],
      ],
      ['a; python_version in "3.12, 3.13",b', ['a; python_version in "3.12, 3.13"', "b"]],
    ]) {
      assert.deepEqual(names(texts), expected);
    }
  });

  it("names the kind of problem, and leaves nothing behind that is in the way", async () => {
    const args = ["--distribution", distributionFolder("0.28.3"), "--index-urls", ""];
    const { code, stderr } = await taipan("prepare", "typo", "--packages", "pandsa", ...args);
    assert.equal(code, 1);
    assert.match(stderr, /✗ .*pandsa.* \[PACKAGE_NOT_FOUND\]\n {2}What to do: Did you mean pandas\?/);
    assert.ok(!(await readdir(folder)).includes("typo"), "no folder is left behind");
    await writeFile(join(folder, "file"), "");
    const blocked = await taipan("prepare", "file/sub", "--packages", "six", ...args);
    assert.equal(blocked.code, 1);
    assert.match(blocked.stderr, /file.* cannot be written: .*\[FILE_SYSTEM\]/);
    const many = await taipan("prepare", "typo", "--packages", "six", "pytz", ...args);
    assert.equal(many.code, 2);
    assert.match(many.stderr, /commas/);
  });
});
