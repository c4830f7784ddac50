/** Checkpoints in each browser: what has been undone is as it was, also in an interpreter that comes from an image. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { BROWSERS } from "../support/browsers.mjs";
import { PACKAGES, PLAIN, WHEELS } from "./programs/undone.mjs";
import { wheelOf } from "./support/wheels.mjs";

const SETS = [
  { version: "0.28.3", packages: [], programs: { ...PLAIN, ...PACKAGES } },
  {
    version: "314.0.7",
    packages: [
      "annotated_types",
      "msgpack",
      "msgspec",
      "pydantic",
      "pydantic_core",
      "typing_extensions",
      "typing_inspection",
    ].map(wheelOf),
    programs: { ...WHEELS, ...PLAIN },
  },
];

/** Gives pages `undo`: what the programs print at a checkpoint, after what is undone, and each time it has been. */
const addUndo = () => {
  const each = async (python, programs, part) => {
    const printed = {};
    for (const [what, program] of Object.entries(programs)) {
      if (program[part] === undefined) continue;
      const { outputs } = await python.run(program[part]);
      printed[what] = outputs.map(({ text }) => text).join("");
    }
    return printed;
  };
  globalThis.prepare = (python, programs) => each(python, programs, "before");
  globalThis.undo = async (python, programs) => {
    const first = await each(python, programs, "observe");
    const checkpoint = await python.checkpoint();
    const undone = [];
    for (let round = 0; round < 2; round += 1) {
      await each(python, programs, "change");
      if (round === 0) globalThis.changed = await each(python, programs, "observe");
      await python.rollback(checkpoint);
      undone.push(await each(python, programs, "observe"));
    }
    const afterwards = await each(python, programs, "afterwards");
    checkpoint.dispose();
    return { first, changed: globalThis.changed, undone, afterwards, memory: await python.memory() };
  };
};

function assertUndone(programs, { first, changed, undone, afterwards, memory }) {
  for (const [what, program] of Object.entries(programs)) {
    assert.notEqual(first[what], "", what);
    assert.notEqual(changed[what], first[what], what);
    for (const printed of undone) assert.equal(printed[what], first[what], what);
    assert.equal(afterwards[what], program.prints, what);
  }
  assert.equal(memory.checkpoints, 0);
}

for (const { version, packages, programs } of SETS) {
  for (const name of BROWSERS) {
    describe(`checkpoints of ${version} in ${name}`, { timeout: 300_000 }, () => {
      let page;
      before(async () => {
        page = await openApiPage({ browser: name, version });
        await page.browser.evaluate(addUndo);
      });
      after(() => page?.close());

      it("bring everything back", async () => {
        const found = await page.browser.evaluate(
          async ({ packages, programs }) => {
            globalThis.python = await start({ packages });
            await prepare(python, programs);
            return undo(python, programs);
          },
          { packages, programs },
        );
        assertUndone(programs, found);
      });

      it("do so after a start from an image", async () => {
        // What is in JavaScript is in no image.
        const { "JavaScript values": _, tasks: __, ...kept } = programs;
        const found = await page.browser.evaluate(
          async ({ packages, programs }) => {
            python.dispose();
            const baker = await start({ packages });
            await prepare(baker, programs);
            const image = URL.createObjectURL(await baker.bake());
            baker.dispose();
            const restored = await start({ image });
            return { refused: restored.timings.imageRefused, ...(await undo(restored, programs)) };
          },
          { packages, programs: kept },
        );
        assert.equal(found.refused, undefined);
        assertUndone(kept, found);
      });
    });
  }
}
