/** File-system calls of CPython's: what Linux gives is what the browser has to give. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { openApiPage } from "../support/api-page.mjs";

const PROGRAM = new URL("programs/file_calls.py", import.meta.url);

for (const version of ["0.28.3", "314.0.7"]) {
  describe(`file-system calls on ${version}`, () => {
    let api;
    before(async () => {
      api = await openApiPage({ version });
    });
    after(() => api?.close());

    it("have the outcomes that they have on Linux", async () => {
      const { stdout } = await promisify(execFile)("python3", [PROGRAM.pathname]);
      const expected = JSON.parse(stdout);
      const code = await readFile(PROGRAM, "utf8");
      const { outputs } = await api.evaluate(async (code) => (await shared()).run(code), code);
      const actual = JSON.parse(outputs.map(({ text }) => text).join(""));
      assert.ok(Object.keys(expected).length > 30);
      for (const [name, outcome] of Object.entries(expected)) {
        assert.deepEqual(actual[name], outcome, name);
      }
    });
  });
}

describe("mounts", () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  it("show a file of the page's, read in part, and take it away again", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const size = 64 << 20;
      const file = new File([new Uint8Array(size).fill(97), "the end"], "large.bin");
      await python.fs.mount("/data/large.bin", file);
      const before = await python.memory();
      const code = "import os\nwith open('/data/large.bin','rb') as f:\n  f.seek(-7, 2)\n  tail = f.read().decode()\n";
      const { value } = await python.run(`${code}[tail, os.path.getsize('/data/large.bin')]`);
      const after = await python.memory();
      await python.fs.unmount("/data/large.bin");
      const { value: exists } = await python.run("os.path.exists('/data/large.bin')");
      return { value, exists, grown: after.loader - before.loader, size };
    });
    assert.deepEqual(found.value, ["the end", found.size + 7]);
    assert.equal(found.exists, false);
    assert.ok(found.grown < found.size / 2, "the file is not held in linear memory");
  });

  it("show bytes; writing to them changes a copy", async () => {
    const value = await api.evaluate(async () => {
      const python = await shared();
      await python.fs.mount("/data/a.csv", new TextEncoder().encode("a,b\n1,2\n"));
      return (await python.run("open('/data/a.csv', 'a').write('3,4\\n'); open('/data/a.csv').read()")).value;
    });
    assert.equal(value, "a,b\n1,2\n3,4\n");
  });

  it("show a directory of the user's with what is below it", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("mounted", { create: true });
      const below = await folder.getDirectoryHandle("below", { create: true });
      const file = await below.getFileHandle("a.txt", { create: true });
      const writable = await file.createWritable();
      await writable.write("from the user");
      await writable.close();
      await python.fs.mount("/mnt/user", folder);
      const { value } = await python.run(
        "import os\n[sorted(os.listdir('/mnt/user')), open('/mnt/user/below/a.txt').read()]",
      );
      return value;
    });
    assert.deepEqual(found, [["below"], "from the user"]);
  });

  it("are refused where something is, at no place, and of nothing that can be mounted", async () => {
    const errors = await api.evaluate(async () => {
      const { fs } = await shared();
      await fs.writeFile("/tmp/taken", "x");
      return [
        await caught(fs.mount("/tmp/taken", new Uint8Array(1))),
        await caught(fs.mount("relative", new Uint8Array(1))),
        await caught(fs.unmount("/tmp/taken")),
      ];
    });
    assert.deepEqual(
      errors.map(({ code }) => code),
      ["FILE_SYSTEM", "BAD_ARGUMENT", "FILE_SYSTEM"],
    );
  });
});
