/** The command `taipan prepare`, with the real distribution: the same each time, going on where it was, clear about faults. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { closureOf, select } from "../../cli/lock.mjs";
import { split } from "../../cli/split.mjs";
import { modified, readZip, writeZip } from "../../cli/zip.mjs";
import * as zstd from "../../cli/zstd.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";

const DISTRIBUTION = distributionFolder("0.28.3");
const TOOL = join(root, "cli", "taipan.mjs");
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-prepare-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs the command; `stopAt` kills it when its output says that. */
const taipan = (args, { stopAt } = {}) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [TOOL, ...args], { cwd: folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (stopAt && stdout.includes(stopAt)) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });

const prepare = (out, packages, ...more) => [
  "prepare",
  join(folder, out),
  "--packages",
  packages,
  "--distribution",
  DISTRIBUTION,
  "--index-urls",
  "",
  ...more,
];

/** The hash of every file, by its path. */
async function hashes(name) {
  const found = {};
  for (const entry of await readdir(join(folder, name), { recursive: true })) {
    const path = join(folder, name, entry);
    if ((await stat(path)).isFile()) found[entry] = sha256(await readFile(path));
  }
  return found;
}

describe("taipan", () => {
  it("says how it is used", async () => {
    const { code, stdout } = await taipan(["--help"]);
    assert.equal(code, 0);
    for (const option of [
      "--packages",
      "--distribution",
      "--exercise",
      "--prefetch",
      "--keep-all",
      "--compress",
      "--index-urls",
      "--lock-file",
    ]) {
      assert.ok(stdout.includes(option), option);
    }
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    assert.equal((await taipan(["--version"])).stdout.trim(), version);
  });

  it("ends with 2 where the arguments are wrong, and says what to do", async () => {
    const most = ["--packages", "six", "--compress", "most"];
    for (const args of [
      ...[[], ["burn"], ["bake"], ["prepare"], ["prepare", "a", "b"], ["prepare", "a"], ["--nothing"]],
      ...[
        ["prepare", "a", ...most],
        ["bake", "--out", "a", ...most],
        ["prepare", "a", "--packages", "six", "--compress", "toString"],
      ],
    ]) {
      const { code, stderr } = await taipan(args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /✗ .*\n {2}What to do: /);
    }
  });

  it("ends with 1 where there is a problem, and says what to do", async () => {
    await mkdir(join(folder, "taken"), { recursive: true });
    await writeFile(join(folder, "taken", "thesis.txt"), "do not touch");
    await mkdir(join(folder, "nothing"), { recursive: true });
    for (const [args, message] of [
      [
        prepare("a", "pandsa"),
        /pandsa, but the lock file does not have it.*\[PACKAGE_NOT_FOUND\]\n.*Did you mean pandas/,
      ],
      [prepare("a", "numpy<2"), /You require numpy<2, but there is only 2\.2\.5.*\[RESOLUTION\]/],
      [prepare("a", "six", "--prefetch", "pytz"), /pytz is to be fetched early, but it is not prepared/],
      [prepare("a", "six", "--exercise", "none.py"), /none\.py cannot be read/],
      [prepare("a", "bokeh"), / is in the lock file, but .*\.whl is not in .*--wheels/s, ["--wheels", DISTRIBUTION]],
      [prepare("taken", "six"), /holds other files/],
      [
        ["prepare", join(folder, "a"), "--packages", "six", "--distribution", join(folder, "nothing")],
        /has no pyodide-lock\.json/,
      ],
      [["prepare", join(folder, "a", "b"), "--packages", "six"], /`pyodide` is not installed here/],
    ].map(([args, message, more = []]) => [[...args, ...more], message])) {
      const { code, stderr } = await taipan(args);
      assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
      assert.match(stderr, /What to do: /);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
    assert.equal(await readFile(join(folder, "taken", "thesis.txt"), "utf8"), "do not touch");
    assert.deepEqual((await readdir(folder)).toSorted(), ["nothing", "taken"], "no empty folder is left behind");
  });

  it("refuses a wheel that is not the one that the lock file means", async () => {
    const wheels = join(folder, "wheels");
    await mkdir(wheels, { recursive: true });
    const name = (await readdir(DISTRIBUTION)).find((one) => one.startsWith("six-"));
    await writeFile(join(wheels, name), "something else");
    const { code, stderr } = await taipan(prepare("b", "six", "--wheels", wheels));
    assert.equal(code, 1);
    assert.match(stderr, /six-.* is not what the lock file says: its SHA-256 is /);
  });
});

describe("what it writes", { timeout: 240_000 }, () => {
  before(async () => {
    const { code, stdout, stderr } = await taipan(prepare("one", "regex,pytz", "--compress", "fast"));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /until everything is imported/);
  });

  it("is the same each time", async () => {
    // Another order of the same names, another process.
    await taipan(prepare("two", "pytz,regex", "--compress", "fast"));
    assert.deepEqual(await hashes("two"), await hashes("one"));
  });

  it("vouches for every file, directly or through an archive", async () => {
    const files = await hashes("one");
    const lock = JSON.parse(await readFile(join(folder, "one", "pyodide-lock.json"), "utf8"));
    const vouched = new Map([["pyodide-lock.json", files["pyodide-lock.json"]]]);
    const put = (name, { sha256: hash }) => vouched.set(name, hash);
    for (const [name, facts] of Object.entries(lock.taipan.files)) {
      put(name, facts);
      if (!/\.(whl|zip)$/.test(name)) continue;
      const entries = readZip(await readFile(join(folder, "one", name)), name);
      const listing = entries.find(({ path }) => path === "taipan-detached.json");
      for (const file of listing ? JSON.parse(listing.read()).files : []) put(file.file_name, file);
    }
    for (const file of Object.values(lock.taipan.side_modules).flat()) {
      assert.equal(vouched.get(file.file_name), file.sha256);
    }
    const plain = Object.keys(files).filter((name) => !/\.(zst|br|gz)$/.test(name));
    assert.deepEqual([...vouched.keys()].sort(), plain.sort());
    for (const [name, hash] of vouched) assert.equal(files[name], hash, name);
    for (const [name, decompress] of Object.keys(files).flatMap((name) => {
      const decompress = { ".br": brotliDecompressSync, ".gz": gunzipSync, ".zst": zstd.decompress }[extname(name)];
      return decompress === undefined ? [] : [[name, decompress]];
    })) {
      const data = await readFile(join(folder, "one", name));
      assert.equal(sha256(await decompress(data)), files[name.slice(0, -extname(name).length)], name);
    }
  });

  it("keeps every file of a wheel, with its time, and adds bytecode bound to that", async () => {
    const lock = JSON.parse(await readFile(join(folder, "one", "pyodide-lock.json"), "utf8"));
    const before = readZip(
      await readFile(
        join(
          DISTRIBUTION,
          (await readdir(DISTRIBUTION)).find((one) => one.startsWith("pytz-")),
        ),
      ),
      "pytz",
    );
    const after = readZip(await readFile(join(folder, "one", lock.packages.pytz.file_name)), "pytz");
    const found = new Map();
    for (const entry of after) found.set(entry.path, { data: entry.read(), time: modified(entry) });
    for (const { file_name, contents } of JSON.parse(found.get("taipan-detached.json").data).files) {
      const data = await readFile(join(folder, "one", file_name));
      let offset = 0;
      for (const [path, size, time] of contents) {
        found.set(path, { data: data.subarray(offset, offset + size), time });
        offset += size;
      }
    }
    for (const entry of before) {
      const { data, time } = found.get(entry.path);
      assert.equal(sha256(data), sha256(entry.read()), entry.path);
      assert.equal(time, modified(entry), entry.path);
      if (!entry.path.endsWith(".py")) continue;
      const cached = entry.path.replace(/([^/]+)\.py$/, "__pycache__/$1.cpython-313.pyc");
      const { data: bytecode } = found.get(cached);
      // PEP 552: magic number, flags, time, size.
      assert.deepEqual(
        [bytecode.readUInt32LE(4), bytecode.readUInt32LE(8), bytecode.readUInt32LE(12)],
        [0, time, entry.size],
      );
    }
  });

  it("is left alone when nothing has changed, and put right when a file is damaged", async () => {
    const good = await hashes("one");
    const again = await taipan(prepare("one", "regex,pytz", "--compress", "fast"));
    assert.match(again.stdout, /is up to date/);
    assert.doesNotMatch(again.stdout, /Bytecode/);
    await writeFile(join(folder, "one", "python_stdlib.zip"), "damaged");
    const repaired = await taipan(prepare("one", "regex,pytz", "--compress", "fast"));
    assert.equal(repaired.code, 0, repaired.stderr);
    assert.deepEqual(await hashes("one"), good);
  });

  it("is put right when a file is missing that an archive names, or a compressed form", async () => {
    const good = await hashes("one");
    const names = Object.keys(good);
    for (const [pattern, isRedone] of [
      [/-later\.bin$/, true],
      [/\.so\.wasm$|-side-modules\.bin$/, true],
      [/\.wasm\.zst$/, false],
      [/pyodide-lock\.json\.br$/, false],
    ]) {
      const missing = names.find((name) => pattern.test(name));
      assert.ok(missing, `${pattern}`);
      await rm(join(folder, "one", missing));
      const { code, stdout, stderr } = await taipan(prepare("one", "regex,pytz", "--compress", "fast"));
      assert.equal(code, 0, stderr);
      assert.equal(/Bytecode/.test(stdout), isRedone, missing);
      assert.deepEqual(await hashes("one"), good, missing);
    }
  });

  it("is finished by the next run when one is stopped", async () => {
    const stopped = await taipan(prepare("four", "regex,pytz", "--compress", "fast"), { stopAt: "→ Files" });
    assert.notEqual(stopped.code, 0);
    const after = await taipan(prepare("four", "regex,pytz", "--compress", "fast"));
    assert.equal(after.code, 0, after.stderr);
    assert.doesNotMatch(after.stdout, /Import in the distribution/, "what was seen is remembered");
    assert.deepEqual(await hashes("four"), await hashes("one"));
  });

  it("loses what is no longer wanted, and can keep the other packages loadable", async () => {
    await cp(join(folder, "one"), join(folder, "five"), { recursive: true });
    const { code, stderr } = await taipan(
      prepare("five", "six", "--base-url", "https://example.org/python", "--compress", "none"),
    );
    assert.equal(code, 0, stderr);
    const lock = JSON.parse(await readFile(join(folder, "five", "pyodide-lock.json"), "utf8"));
    assert.match(lock.packages.pytz.file_name, /^https:\/\/example\.org\/python\/pytz-/);
    assert.match(lock.packages.six.file_name, /^files\/[0-9a-f]{16}\/six-/);
    const names = Object.keys(await hashes("five"));
    assert.deepEqual(
      names.filter((name) => /pytz|regex|\.(zst|br|gz)$/.test(name)),
      [],
    );
  });
});

describe("packages of a lock file", () => {
  it("bring what they need, dependencies first, cycles or not", () => {
    const packages = { a: { depends: ["B-c"] }, b_c: { depends: ["a", "d"] }, d: {}, e: {} };
    assert.deepEqual(closureOf({ packages }, ["a"]), ["d", "b_c", "a"]);
  });

  it("are found by requirements, whatever the spelling", async () => {
    const lock = JSON.parse(await readFile(join(DISTRIBUTION, "pyodide-lock.json"), "utf8"));
    const { named, closure } = await select(lock, ["Python.DateUtil>=2,<3", 'six; python_version < "3"']);
    assert.deepEqual([named, closure], [["python-dateutil"], ["six", "python-dateutil"]]);
    await assert.rejects(select(lock, ["six>2"]), { name: "Problem", code: "RESOLUTION" });
  });
});

describe("archives", () => {
  it("come back as they were written", () => {
    const entry = { time: 0x6a2b, date: 0x5a21, madeBy: 0x0314, attributes: 0o100755 * 65536 };
    const files = ["a", "b/ü.txt"].map((path) => ({ path, ...entry, data: Buffer.from(path) }));
    const read = readZip(writeZip(files), "test");
    assert.deepEqual(
      read.map((one) => [one.path, one.time, one.date, one.attributes, one.read().toString()]),
      files.map(({ path }) => [path, entry.time, entry.date, entry.attributes, path]),
    );
    assert.throws(() => readZip(Buffer.from("no archive"), "x.whl"), /x\.whl cannot be read/);
  });

  it("are split into what is needed at once and what can wait", () => {
    const entry = (path, size) => ({
      path,
      time: 0,
      date: 33,
      madeBy: 20,
      attributes: 0,
      size,
      read: () => Buffer.alloc(size, 1),
    });
    const entries = [
      entry("a/x.py", 90_000),
      entry("a/y.py", 90_000),
      entry("a/z.so", 10),
      entry("a/data", 60_000),
      entry("a/hot", 5),
      entry("a-1.dist-info/METADATA", 7),
    ];
    const bytecode = new Map([
      ["a/x.py", Buffer.alloc(3)],
      ["a/y.py", Buffer.alloc(4)],
    ]);
    const read = new Set(["a/x.py", "a/hot"]);
    const { data, detached } = split({ name: "a", entries, bytecode, tag: "cpython-313", read });
    const kept = readZip(data, "a").map(({ path }) => path);
    assert.deepEqual(kept, [
      "a-1.dist-info/METADATA",
      "a/__pycache__/x.cpython-313.pyc",
      "a/hot",
      "taipan-detached.json",
    ]);
    const rest = detached.map(({ kind, contents }) => [kind, contents.map(([path]) => path)]);
    assert.deepEqual(rest, [
      ["side modules", ["a/z.so"]],
      ["part", ["a/x.py", "a/y.py"]],
      ["part", ["a/__pycache__/y.cpython-313.pyc", "a/data"]],
    ]);
    const looked = new Set(["a/x.py"]);
    const other = split({ name: "a", entries, bytecode, tag: "cpython-313", read, looked });
    assert.ok(
      readZip(other.data, "a").some(({ path }) => path === "a/x.py"),
      "a source that was looked at",
    );
  });

  it("have the side modules that were linked together, in that order, those that nobody linked and large ones alone", () => {
    const plain = { time: 0, date: 33, madeBy: 20, attributes: 0 };
    const sizes = { "a.so": 10, "b.so": 20, "c.so": 5 << 20, "d.so": 30, "e.so": 40 };
    const entries = Object.entries(sizes).map(([path, size]) => ({
      ...plain,
      path,
      read: () => Buffer.alloc(size, path),
    }));
    const linked = ["d.so", "b.so", "c.so", "a.so"];
    const { detached } = split({ name: "x", entries, bytecode: new Map(), tag: "", read: new Set(), linked });
    const files = detached.map(({ file_name, data, contents }) => [
      file_name.split("/").at(-1),
      data.length,
      contents.length,
    ]);
    assert.deepEqual(files.sort(), [
      ["a.so.wasm", 10, 1],
      ["c.so.wasm", 5 << 20, 1],
      ["e.so.wasm", 40, 1],
      ["x-side-modules.bin", 50, 2],
    ]);
    const pack = detached.find(({ contents }) => contents.length > 1);
    assert.deepEqual(
      pack.contents.map(([path, size]) => [path, size]),
      [
        ["d.so", 30],
        ["b.so", 20],
      ],
    );
    assert.equal(pack.data.toString("latin1", 0, 3), "d.s");
  });
});
