/** Checkpoints against a model: after any sequence of actions Python is in the state that the model is in. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { openApiPage } from "../support/api-page.mjs";
import { wheelOf } from "./support/wheels.mjs";

const SEED = Number(process.env.CHECKPOINT_SEED ?? Date.now() % 2 ** 31);
const RUNS = 15;

/** Of each distribution: modules, among them side modules, one of them with exceptions of C++. */
const SETS = [
  { version: "0.28.3", modules: ["colorsys", "kiwisolver", "regex", "six"], packages: [] },
  {
    version: "314.0.7",
    modules: ["colorsys", "msgspec", "msgpack._cmsgpack", "typing_inspection"],
    packages: ["msgspec", "msgpack", "typing_inspection", "typing_extensions"].map(wheelOf),
  },
];

/** What the actions need, and what tells the state. */
const PREPARE = `
import gc, importlib, io, js, json, os, random, sys
os.makedirs("/model"); os.chdir("/model")
variables, objects, handles = {}, {}, {}
def use(name):
    module = importlib.import_module(name)
    if name == "regex":
        return module.sub(r"(?<=a)b+", "c", "abbb")
    if name == "kiwisolver":
        solver, x = module.Solver(), module.Variable("x")
        constraint = x >= 1
        solver.addConstraint(constraint)
        try:
            solver.addConstraint(constraint)
        except module.DuplicateConstraint:
            return "duplicate"
    if name == "msgspec":
        try:
            module.json.decode(b"[1, true]", type=list[int])
        except module.ValidationError as error:
            return str(error)
    if name == "msgpack._cmsgpack":
        return module.Packer().pack({"a": [1, None]})
    return name
def write(name, text, mode="w"):
    with open(name, mode) as file:
        file.write(text)
def make(name, tag):
    objects[name] = js.Object.new()
    objects[name].tag = tag
def observe():
    files = {name: open(name).read() for name in sorted(os.listdir())}
    return json.dumps({
        "variables": {name: sum(value) if isinstance(value, bytes) else value for name, value in sorted(variables.items())},
        "objects": {name: value.tag for name, value in sorted(objects.items())},
        "handles": {name: [value.tell(), value.getvalue()] for name, value in sorted(handles.items())},
        "files": files,
        "modules": [name in sys.modules for name in MODULES],
        "cwd": os.getcwd(),
    })`;

const name = fc.constantFrom("a", "b", "c");
const number = fc.integer({ min: 0, max: 999 });
const text = fc.constantFrom("", "one", "two two", "x".repeat(10_000));

/** Each action: Python, and what it does to the model. `undefined` where it cannot be done. */
const ACTIONS = {
  set: fc.record({ name, number }),
  remove: fc.record({ name }),
  grow: fc.record({ name, size: fc.constantFrom(1_000, 300_000, 12_000_000) }),
  object: fc.record({ name, number }),
  letGo: fc.record({ name }),
  open: fc.record({ name, text }),
  write: fc.record({ name, text }),
  append: fc.record({ name, text }),
  rename: fc.record({ name, to: name }),
  unlink: fc.record({ name }),
  import: fc.record({ module: fc.integer({ min: 0, max: 3 }) }),
  fail: fc.record({ number }),
  collect: fc.record({}),
  checkpoint: fc.record({}),
  rollback: fc.record({ which: fc.nat() }),
  dispose: fc.record({ which: fc.nat() }),
};
const WEIGHTS = { checkpoint: 4, rollback: 5, import: 2 };

const action = fc.oneof(
  ...Object.entries(ACTIONS).map(([kind, details]) => ({
    weight: WEIGHTS[kind] ?? 1,
    arbitrary: details.map((values) => ({ kind, ...values })),
  })),
);

function fresh() {
  const modules = [false, false, false, false];
  return { variables: {}, objects: {}, handles: {}, files: {}, modules, cwd: "/model" };
}

/** The Python of an action, after doing it to the model. */
function act(model, { kind, name, number, size, text, to, module }) {
  const { variables, objects, handles, files, modules } = model;
  switch (kind) {
    case "set":
      variables[name] = number;
      return `variables["${name}"] = ${number}`;
    case "remove":
      delete variables[name];
      return `variables.pop("${name}", None)`;
    case "grow":
      variables[name] = size;
      return `variables["${name}"] = b"\\1" * ${size}`;
    case "object":
      objects[name] = number;
      return `make("${name}", ${number})`;
    case "letGo":
      delete objects[name];
      return `objects.pop("${name}", None)`;
    case "open":
      handles[name] = [text.length, text];
      return `handles["${name}"] = io.StringIO(); handles["${name}"].write("${text}")`;
    case "write":
      files[name] = text;
      return `write("${name}", "${text}")`;
    case "append":
      files[name] = (files[name] ?? "") + text;
      return `write("${name}", "${text}", "a")`;
    case "rename":
      if (files[name] === undefined) return undefined;
      if (name !== to) {
        files[to] = files[name];
        delete files[name];
      }
      return `os.rename("${name}", "${to}")`;
    case "unlink":
      if (files[name] === undefined) return undefined;
      delete files[name];
      return `os.unlink("${name}")`;
    case "import":
      modules[module] = true;
      return `use(MODULES[${module}])`;
    case "fail":
      variables.failed = number;
      return `variables["failed"] = ${number}; [].missing`;
    default:
      return "gc.collect()";
  }
}

/** What the page is to do, and the state that it has to be in after each step. */
function plan(actions) {
  let model = fresh();
  const kept = [];
  const steps = [];
  for (const [index, step] of actions.entries()) {
    const which = kept.length > 0 ? step.which % kept.length : 0;
    if (step.kind === "checkpoint") {
      kept.push({ index, model: structuredClone(model) });
      steps.push({ kind: "checkpoint", index });
    } else if (step.kind === "rollback" || step.kind === "dispose") {
      if (kept.length === 0) continue;
      steps.push({ kind: step.kind, index: kept[which].index });
      if (step.kind === "rollback") model = structuredClone(kept[which].model);
      else kept.splice(which, 1);
    } else {
      const code = act(model, step);
      if (code === undefined) continue;
      steps.push({ kind: "run", code });
    }
    steps.at(-1).expected = normal(model);
  }
  return steps;
}

/** As Python writes it: keys in order. */
function normal(model) {
  const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { variables, objects, handles, files, modules, cwd } = structuredClone(model);
  return {
    variables: sorted(variables),
    objects: sorted(objects),
    handles: sorted(handles),
    files: sorted(files),
    modules,
    cwd,
  };
}

for (const { version, modules, packages } of SETS) {
  describe(`checkpoints of ${version}`, { timeout: 900_000 }, () => {
    let api;
    before(async () => {
      api = await openApiPage({ version });
      await api.evaluate(
        async ({ prepare, packages }) => {
          const python = await start({ checkpointLimit: 1_000_000_000, packages });
          await python.run(prepare);
          const base = await python.checkpoint();
          /** Does the steps from the beginning; gives the state after each. */
          globalThis.perform = async (steps) => {
            await python.rollback(base);
            const kept = new Map();
            const states = [];
            for (const { kind, code, index } of steps) {
              if (kind === "checkpoint") kept.set(index, await python.checkpoint());
              else if (kind === "rollback") await python.rollback(kept.get(index));
              else if (kind === "dispose") kept.get(index).dispose();
              else
                await python
                  .run(code)
                  .catch((error) => (error.type === "AttributeError" ? undefined : Promise.reject(error)));
              states.push(JSON.parse((await python.run("observe()")).value));
            }
            for (const checkpoint of kept.values()) checkpoint.dispose();
            return { states, memory: await python.memory() };
          };
        },
        { prepare: `${PREPARE}\nMODULES = ${JSON.stringify(modules)}`, packages },
      );
    });
    after(() => api?.close());

    it(`keep to the model (CHECKPOINT_SEED=${SEED})`, async () => {
      let most = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 30 }), async (actions) => {
          const steps = plan(actions);
          const { states, memory } = await api.evaluate((steps) => perform(steps), steps);
          most = Math.max(most, memory.checkpoints);
          steps.forEach(({ expected, ...step }, index) => {
            assert.deepEqual(states[index], expected, `after step ${index}, ${JSON.stringify(step)}`);
          });
        }),
        {
          seed: SEED,
          numRuns: RUNS,
          interruptAfterTimeLimit: 240_000,
          markInterruptAsFailure: false,
          endOnFailure: true,
        },
      );
      // All that is left belongs to the checkpoint at the beginning.
      assert.ok(most < 30e6, `${most} bytes are kept`);
    });
  });
}
