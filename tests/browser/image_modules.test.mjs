/** Which side modules of an image are linked when it is restored, and which when they are called. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

/** In the page: an interpreter that is restored from an image of another, which ends. */
const restoreAs = async (baked) => {
  const url = URL.createObjectURL(await baked.bake());
  baked.dispose();
  const again = await start({ image: url });
  URL.revokeObjectURL(url);
  return again;
};

describe("side modules of an image", { timeout: 600_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    await api.page.evaluate(`globalThis.restoreAs = ${restoreAs}`);
  });
  after(() => api?.close());

  it("are linked when they are first called, and at once where that was so before", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      await python.run(`
import pandas, kiwisolver
solver, x = kiwisolver.Solver(), kiwisolver.Variable("x")
constraint = x >= 1
solver.addConstraint(constraint)`);
      const all = python.timings.modulesLinked;
      const lazy = await restoreAs(python);
      const atFirst = lazy.timings.modulesLinked;
      const program = `
errors = []
for call in (lambda: solver.addConstraint(constraint), lambda: pandas.Series([1.5, None]).to_json(),
             lambda: list(map(pandas._libs.lib.is_integer, [1, "a"]))):
    try:
        errors.append(call())
    except Exception as error:
        errors.append(type(error).__name__)
errors`;
      const { value } = await lazy.run(program);
      const called = lazy.timings.modulesLinked;
      const { imageRefused } = lazy.timings;
      const eager = await restoreAs(lazy);
      const again = eager.timings.modulesLinked;
      const repeated = (await eager.run(program)).value;
      const later = eager.timings.modulesLinked;
      eager.dispose();
      return { all, atFirst, called, again, later, value, repeated, imageRefused };
    });
    const expected = ["DuplicateConstraint", '{"0":1.5,"1":null}', [true, false]];
    assert.deepEqual(found.value, expected);
    assert.deepEqual(found.repeated, expected);
    assert.equal(found.imageRefused, undefined);
    assert.ok(found.atFirst < found.all / 2, `${found.atFirst} of ${found.all} were linked at once`);
    assert.ok(found.called > found.atFirst && found.called < found.all, `${found.called} were called`);
    assert.ok(found.again >= found.called, `${found.again} of ${found.called} were linked at once`);
    assert.equal(found.later, found.again);
  });

  it("are linked at once that were at work after the run that imported them", async () => {
    const found = await api.evaluate(async () => {
      const program = `
frame = pandas.DataFrame({"key": ["a", "b", "a"], "value": [1, 2, 4]})
str(frame.groupby("key")["value"].sum().to_dict())`;
      const visit = async (uses) => {
        const python = await start();
        await python.run("import pandas, kiwisolver");
        const all = python.timings.modulesLinked;
        for (const code of uses) await python.run(code);
        const again = await restoreAs(python);
        const { modulesLinked: atOnce, imageRefused } = again.timings;
        const { value } = await again.run(program);
        const called = again.timings.modulesLinked;
        again.dispose();
        return { all, atOnce, called, value, imageRefused };
      };
      return { idle: await visit(["1 + 1", "import gc; gc.collect()"]), busy: await visit(["1 + 1", program]) };
    });
    const { idle, busy } = found;
    for (const { value, imageRefused } of [idle, busy]) {
      assert.equal(value, "{'a': 5, 'b': 2}");
      assert.equal(imageRefused, undefined);
    }
    assert.equal(idle.atOnce, 0, "nothing was called since");
    assert.ok(busy.atOnce >= 4, `${busy.atOnce} were linked at once`);
    assert.ok(busy.atOnce <= busy.called, "none but those that are called");
    assert.ok(busy.called < busy.all / 2, `${busy.called} of ${busy.all} were called`);
  });

  it("are not linked at once because a checkpoint, or an image, has linked all of them", async () => {
    const found = await api.evaluate(async () => {
      const program =
        "import kiwisolver\nsolver = kiwisolver.Solver()\nsolver.addConstraint(kiwisolver.Variable('x') >= 1)";
      const first = await start();
      await first.run("import pandas, kiwisolver");
      const all = first.timings.modulesLinked;
      const second = await restoreAs(first);
      (await second.checkpoint()).dispose();
      await second.bake();
      await second.run("pass");
      const linked = second.timings.modulesLinked;
      await second.run(program);
      const third = await restoreAs(second);
      const { modulesLinked: atOnce, imageRefused } = third.timings;
      await third.run(program);
      const called = third.timings.modulesLinked;
      third.dispose();
      return { all, linked, atOnce, called, imageRefused };
    });
    assert.equal(found.imageRefused, undefined);
    assert.equal(found.linked, found.all, "both link all");
    assert.ok(found.atOnce > 0 && found.atOnce < 5, `${found.atOnce} were linked at once`);
    assert.ok(found.called < 5, `${found.called} were called`);
  });
});
