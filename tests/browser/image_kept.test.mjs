/** What an image keeps besides memory, and images that are kept in the browser. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

describe("images", { timeout: 600_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  it("bring open files back, with their positions, in the file system and in memory", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run(`
import io, os, tempfile
os.makedirs("/work"); os.chdir("/work")
open("notes.txt", "w").write("one two three")
first, reader = open("notes.txt"), open("notes.txt")
reader.read(4); first.close()
writer = open("log.txt", "w"); writer.write("before "); writer.flush(); writer.write("unflushed ")
buffer = io.BytesIO(b"abcdef"); buffer.read(2)`);
      const unnamed = await caught(python.run("unnamed = tempfile.TemporaryFile()").then(() => python.bake()));
      await python.run("unnamed.close()");
      const url = URL.createObjectURL(await python.bake());
      python.dispose();
      const again = await start({ image: url });
      const { value } = await again.run(`
writer.write("after"); writer.close()
[reader.read(), open("log.txt").read(), buffer.read().decode(), os.getcwd()]`);
      const { imageRefused } = again.timings;
      again.dispose();
      return { value, imageRefused, unnamed };
    });
    assert.equal(found.imageRefused, undefined);
    assert.deepEqual(found.value, ["two three", "before unflushed after", "cdef", "/work"]);
    assert.equal(found.unnamed.code, "NOT_SUPPORTED");
  });

  it("are kept in the browser under a name, until they are forgotten", async () => {
    const found = await api.evaluate(async () => {
      const first = await start();
      await first.run("import six; answer = 41");
      await first.fs.writeFile("/home/pyodide/notes.txt", "mine");
      await first.bake({ name: "lesson" });
      const usage = await first.store.usage();
      const [listed, ...others] = await first.images();
      first.dispose();
      const second = await start({ image: { name: "lesson" } });
      const { value } = await second.run("answer += 1; [answer, open('notes.txt').read(), six.__version__]");
      await second.bake({ name: "lesson" });
      second.dispose();
      const third = await start({ image: { name: "lesson" } });
      const later = (await third.run("answer")).value;
      await third.forgetImage("lesson");
      const left = await third.images();
      third.dispose();
      const fourth = await start({ image: { name: "lesson" } });
      const { imageRefused } = fourth.timings;
      fourth.dispose();
      return { value, later, imageRefused, bytes: usage.bytes, listed, others, left };
    });
    assert.deepEqual(found.value, [42, "mine", "1.17.0"]);
    assert.equal(found.later, 42);
    assert.match(found.imageRefused, /"lesson"/);
    assert.equal(found.listed.name, "lesson");
    assert.ok(found.listed.bytes > 5e6 && found.listed.bytes <= found.bytes, `${found.listed.bytes} bytes`);
    assert.ok(Math.abs(found.listed.lastUsed - Date.now()) < 600_000);
    assert.deepEqual([...found.others, ...found.left], []);
    assert.ok(found.bytes > 5e6);
  });

  it("read packages that are kept without asking the server, and keep those that they had to ask for", async () => {
    const image = await api.evaluate(async () => {
      const first = await start();
      await first.run("import bs4");
      const image = URL.createObjectURL(await first.bake());
      first.dispose();
      const other = await start();
      await other.store.clear();
      other.dispose();
      return image;
    });
    const wheels = () => api.server.log.filter(({ path }) => path.endsWith(".whl")).map(({ path }) => path);
    const visit = (image, tries) =>
      api.evaluate(
        async ([image, tries]) => {
          const python = await start({ image });
          // What is kept is laid out when nothing runs.
          await sleep(3500);
          const program =
            "import bs4.dammit; open(bs4.dammit.__file__).readline(); open(bs4.__file__).read().count('Soup') > 9";
          const { value } = await python.run(program);
          const before = (await python.store.usage()).entries;
          for (let waited = 0; waited < tries && (await python.store.usage()).entries <= before; waited += 1)
            await sleep(200);
          python.dispose();
          return value;
        },
        [image, tries],
      );
    api.server.log.length = 0;
    assert.equal(await visit(image, 50), true);
    assert.equal(wheels().length, 1, "it was kept nowhere");
    api.server.log.length = 0;
    assert.equal(await visit(image, 0), true);
    assert.deepEqual(wheels(), []);
  });

  it("are not kept when baking is given up, and Python goes on", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const controller = new AbortController();
      const baking = caught(python.bake({ name: "given up", signal: controller.signal }));
      controller.abort();
      const { code } = await baking;
      const { value } = await python.run("2 + 2");
      python.dispose();
      const later = await start({ image: { name: "given up" } });
      const { imageRefused } = later.timings;
      later.dispose();
      return { code, value, imageRefused };
    });
    assert.deepEqual([found.code, found.value], ["ABORTED", 4]);
    assert.match(found.imageRefused, /"given up"/);
  });

  it("can be baked where packages were there from the start", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ packages: ["six"] });
      await python.run("import six");
      const url = URL.createObjectURL(await python.bake());
      python.dispose();
      const again = await start({ image: url });
      URL.revokeObjectURL(url);
      const { value } = await again.run("import sys; 'six' in sys.modules");
      const { timings } = again;
      again.dispose();
      return { value, timings };
    });
    assert.equal(found.timings.imageRefused, undefined);
    assert.deepEqual([found.value, found.timings.image], [true, "address"]);
  });
});
