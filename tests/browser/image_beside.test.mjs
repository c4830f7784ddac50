/** Side modules that are files beside an image: fetched when they are called, by whoever calls them. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, afterEach, before, describe, it } from "node:test";
import { rust } from "../../cli/rust.mjs";
import { openApiPage } from "../support/api-page.mjs";

const MODULE = /^\/images\/modules\//;

describe("side modules beside an image", { timeout: 600_000 }, () => {
  let api;
  let folder;
  let count;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-beside-"));
    let whole;
    const handlers = {
      "/baked": async (request, response) => {
        whole = await buffer(request);
        response.end();
      },
    };
    api = await openApiPage({ roots: { "/images/": { folder, immutable: false } }, handlers });
    await api.evaluate(async () => {
      globalThis.restored = async (options) => {
        const python = await start({ image: "/images/python.image", cache: "none", ...options });
        if (python.timings.image !== "address") throw new Error(python.timings.imageRefused);
        return python;
      };
      const python = await start();
      await python.run("import pandas, kiwisolver; frame = pandas.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'x']})");
      await fetch("/baked", { method: "POST", body: await python.bake() });
      python.dispose();
    });
    // None is called hot: each has to be fetched by who calls it first.
    const { image, files } = (await rust()).detachModules(whole, []);
    count = files.length;
    await writeFile(join(folder, "python.image"), image);
    for (const { path, bytes } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
  });
  after(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    api.server.hooks.length = 0;
    api.server.log.length = 0;
  });

  const asked = () => api.server.log.filter(({ path }) => MODULE.test(path)).map(({ path }) => path);

  it("are fetched when they are called, and no others", async () => {
    const value = await api.evaluate(async () => {
      const python = await restored();
      const { value } = await python.run("frame.groupby('b').a.sum().to_dict()");
      python.dispose();
      return value;
    });
    assert.deepEqual(value, { x: 4, y: 2 });
    const paths = asked();
    assert.ok(
      paths.some((path) => path.includes("/groupby-")),
      paths.join(),
    );
    assert.equal(new Set(paths).size, paths.length, "none is asked for twice");
    assert.ok(paths.length < count / 2, `${paths.length} of ${count}`);
  });

  it("are fetched when a module that is imported calls them, and when they throw C++ exceptions", async () => {
    const found = await api.evaluate(async () => {
      const python = await restored();
      // It calls NumPy's functions by pointer.
      const { value: lines } = await python.run(`
import contourpy
[line.tolist() for line in contourpy.contour_generator(z=[[0, 1], [0, 1]]).lines(0.5)]`);
      const { value: caught } = await python.run(`
solver, x = kiwisolver.Solver(), kiwisolver.Variable("x")
constraint = x >= 1
solver.addConstraint(constraint)
try:
    solver.addConstraint(constraint)
except kiwisolver.DuplicateConstraint as error:
    caught = type(error).__name__
caught`);
      python.dispose();
      return { lines, caught };
    });
    const upwards = [
      [0.5, 0],
      [0.5, 1],
    ];
    assert.deepEqual(
      found.lines.map((line) => line.sort()),
      [upwards],
    );
    assert.equal(found.caught, "DuplicateConstraint");
    assert.ok(asked().some((path) => path.includes("_multiarray_umath-")));
    assert.ok(asked().some((path) => path.includes("_cext-")));
  });

  it("come by themselves when nothing runs, so that nobody waits and no network is needed", async () => {
    const found = await api.evaluate(async () => {
      const python = await restored();
      await python.run("1");
      await sleep(6000);
      await fetch("/images/cut");
      const { value } = await python.run("frame.groupby('b').a.sum().to_dict()");
      python.dispose();
      return value;
    });
    assert.deepEqual(found, { x: 4, y: 2 });
    const paths = api.server.log.map(({ path }) => path);
    const before = paths.slice(0, paths.indexOf("/images/cut")).filter((path) => MODULE.test(path));
    assert.equal(new Set(before).size, count);
    assert.equal(asked().length, before.length, "nothing is fetched later");
  });

  for (const [trouble, hook, message] of [
    ["missing", { status: 404 }, /modules\/\S+\.wasm answered with status 404/],
    ["another's", { corrupt: true }, /modules\/\S+\.wasm .*(SHA-256|is not what)/],
  ]) {
    it(`that are ${trouble} are an exception of Python's, which goes on`, async () => {
      api.server.hooks.push({ match: /\/modules\/groupby-/, ...hook });
      const refused = await api.evaluate(async () => {
        globalThis.troubled = await restored();
        const { value } = await troubled.run(`
try:
    outcome = str(frame.groupby('b').a.sum().to_dict())
except OSError as error:
    outcome = str(error)
outcome`);
        const { value: alive } = await troubled.run("sum(range(10))");
        return { value, alive };
      });
      assert.match(refused.value, message);
      assert.equal(refused.alive, 45);
      api.server.hooks.length = 0;
      const again = await api.evaluate(async () => {
        const { value } = await troubled.run("frame.groupby('b').a.sum().to_dict()");
        troubled.dispose();
        return value;
      });
      assert.deepEqual(again, { x: 4, y: 2 }, "when it is there it is used");
    });
  }

  it("are in an image that the browser keeps", async () => {
    const found = await api.evaluate(async () => {
      const python = await restored({ cache: undefined });
      await python.bake({ name: "whole" });
      python.dispose();
      await fetch("/images/kept");
      const kept = await start({ image: { name: "whole" } });
      const { value } = await kept.run("frame.groupby('b').a.sum().to_dict()");
      const { image } = kept.timings;
      await sleep(3000);
      kept.dispose();
      return { value, image };
    });
    assert.deepEqual(found, { value: { x: 4, y: 2 }, image: "name" });
    const paths = api.server.log.map(({ path }) => path);
    assert.deepEqual(
      paths.slice(paths.indexOf("/images/kept")).filter((path) => MODULE.test(path)),
      [],
    );
  });
});
