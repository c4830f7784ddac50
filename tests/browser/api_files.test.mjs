/** The API with the real distribution: files, seen from the page and from Python. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  api = await openApiPage();
});
after(() => api?.close());

describe("the file system", () => {
  it("is the one that Python sees", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      const { fs } = python;
      await fs.mkdir("/tmp/a/b", { recursive: true });
      await fs.mkdir("/tmp/a/b", { recursive: true });
      const kept = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
      await fs.writeFile("/tmp/a/b/bytes", kept);
      await fs.writeFile("/tmp/a/text", "grün\n");
      await fs.writeFile("/tmp/a/buffer", new ArrayBuffer(3));
      const python1 = await python.run(
        "open('/tmp/a/text', encoding='utf8').read() + str(open('/tmp/a/b/bytes', 'rb').read());",
      );
      await python.run("open('/tmp/a/made', 'w').write('by Python')");
      await fs.rename("/tmp/a/made", "/tmp/a/moved");
      const stat = await fs.stat("/tmp/a/text");
      const result = {
        kept: [...kept],
        value: python1.value,
        text: await fs.readFile("/tmp/a/moved", { encoding: "utf8" }),
        bytes: [...(await fs.readFile("/tmp/a/b/bytes"))],
        names: (await fs.readdir("/tmp/a")).sort(),
        kinds: [stat.kind, (await fs.lstat("/tmp/a/b")).kind],
        size: stat.size,
        age: Math.abs(Date.now() - stat.modified),
      };
      await fs.unlink("/tmp/a/moved");
      await fs.unlink("/tmp/a/b/bytes");
      await fs.rmdir("/tmp/a/b");
      result.left = (await fs.readdir("/tmp/a")).sort();
      return result;
    });
    assert.deepEqual(found.kept, [1, 2]);
    assert.equal(found.value, "grün\nb'\\x01\\x02'");
    assert.equal(found.text, "by Python");
    assert.deepEqual(found.bytes, [1, 2]);
    assert.deepEqual(found.names, ["b", "buffer", "moved", "text"]);
    assert.deepEqual(found.kinds, ["file", "directory"]);
    assert.equal(found.size, 6);
    assert.ok(found.age < 60_000, `${found.age} ms`);
    assert.deepEqual(found.left, ["buffer", "text"]);
  });

  it("rejects with the errno that Python would see", async () => {
    const found = await api.evaluate(async () => {
      const { fs } = await shared();
      await fs.mkdir("/tmp/full");
      await fs.writeFile("/tmp/full/f", "x");
      return {
        ENOENT: await caught(fs.readFile("/no/such/file")),
        EEXIST: await caught(fs.mkdir("/tmp/full")),
        ENOTEMPTY: await caught(fs.rmdir("/tmp/full")),
        ENOTDIR: await caught(fs.readdir("/tmp/full/f")),
        EISDIR: await caught(fs.readFile("/tmp/full")),
      };
    });
    for (const [errno, error] of Object.entries(found)) {
      assert.deepEqual([error.name, error.code, error.errno], ["FileSystemError", "FILE_SYSTEM", errno]);
    }
    assert.equal(found.ENOENT.path, "/no/such/file");
  });

  it("says which argument is wrong", async () => {
    const codes = await api.evaluate(async () => {
      const { fs } = await shared();
      const wrong = [
        fs.readFile(7),
        fs.readFile(""),
        fs.writeFile("/tmp/x", { a: 1 }),
        fs.readFile("/tmp/x", { encoding: "latin1" }),
        fs.readFile("/tmp/x", "utf8"),
        fs.readFile("/tmp/x", { enconding: "utf8" }),
        fs.mkdir("/tmp/x/y", { parents: true }),
      ];
      return Promise.all(wrong.map(async (one) => (await caught(one)).code));
    });
    assert.deepEqual(codes, Array(7).fill("BAD_ARGUMENT"));
  });

  it("moves a large file there and back", async () => {
    const found = await api.evaluate(async () => {
      const { fs } = await shared();
      const data = new Uint8Array(32 * 1024 * 1024).map((_, i) => i * 31);
      await fs.writeFile("/tmp/large", data);
      const back = await fs.readFile("/tmp/large");
      await fs.unlink("/tmp/large");
      return { length: data.length, same: back.length === data.length && back.every((byte, i) => byte === data[i]) };
    });
    assert.deepEqual(found, { length: 32 * 1024 * 1024, same: true });
  });

  it("mounts bytes, a File, and what is at a URL", async () => {
    const found = await api.evaluate(async () => {
      const python = await shared();
      await python.fs.mount("/tmp/mounted-bytes", new TextEncoder().encode("bytes"));
      await python.fs.mount("/tmp/mounted-file", new File(["file"], "f.txt"));
      await python.fs.mount("/tmp/mounted-url", "/python/pyodide-lock.json");
      const { value } = await python.run(
        "[open('/tmp/mounted-bytes').read(), open('/tmp/mounted-file').read(), 'packages' in open('/tmp/mounted-url').read()];",
      );
      await python.fs.unmount("/tmp/mounted-file");
      return {
        value,
        gone: await caught(python.fs.readFile("/tmp/mounted-file")),
        missing: await caught(python.fs.mount("/tmp/x", "/no-such-file")),
      };
    });
    assert.deepEqual(found.value, ["bytes", "file", true]);
    assert.equal(found.gone.errno, "ENOENT");
    assert.deepEqual([found.missing.name, found.missing.code], ["LoadError", "LOAD_HTTP"]);
  });
});
