/** Images from each browser in each browser: what Python does is the same as after a start. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";
import { BROWSERS } from "../support/browsers.mjs";
import { BEFORE, BEFORE_WHEELS, PACKAGES, PLAIN, WHEELS } from "./programs/equal_after_restoring.mjs";

/** Where pages put images, and find those of others. */
function imageExchange() {
  const images = new Map();
  return async (request, response) => {
    const baker = new URL(request.url, "http://localhost").searchParams.get("baker");
    if (request.method !== "POST") return response.end(images.get(baker));
    images.set(baker, await buffer(request));
    response.end();
  };
}

/** Gives pages `runAll`: it runs every program, and gives what each prints. */
const addRunAll = () => {
  globalThis.runAll = async (python, programs) => {
    const printed = {};
    for (const [what, program] of Object.entries(programs)) {
      try {
        printed[what] = (await python.run(program)).outputs.map(({ text }) => text).join("");
      } catch (error) {
        printed[what] = `${error.name}: ${error.message}`;
      }
    }
    return printed;
  };
};

/** The wheels of Pyodide 314 that come from an index. */
const wheels = (await readdir(distributionFolder("314.0.7"))).filter((name) =>
  /^(annotated_types|msgpack|msgspec|pydantic|pydantic_core|typing_extensions|typing_inspection)-/.test(name),
);

/** Names the programs in question, because of nested objects a failing test shows but the way of comparing. */
function assertSame(actual, expected) {
  for (const [what, printed] of Object.entries(expected)) assert.equal(actual[what], printed, what);
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
}

const SETS = [
  { version: "0.28.3", options: {}, before: BEFORE, programs: { ...PACKAGES, ...PLAIN } },
  {
    version: "314.0.7",
    options: { packages: wheels.map((name) => `/python/${name}`) },
    before: BEFORE_WHEELS,
    programs: { ...WHEELS, ...PLAIN },
  },
];

for (const { version, options, before: code, programs } of SETS) {
  describe(`images of ${version}`, { timeout: 900_000 }, () => {
    const pages = new Map();
    const started = new Map();
    before(async () => {
      // What one page has baked, all can get.
      const handlers = { "/image": imageExchange() };
      for (const name of BROWSERS) pages.set(name, await openApiPage({ browser: name, version, handlers }));
      for (const { browser } of pages.values()) await browser.evaluate(addRunAll);
    });
    after(async () => {
      for (const page of pages.values()) await page.close();
    });

    for (const name of BROWSERS) {
      it(`are baked in ${name}, and the programs run after a start`, async () => {
        const outcome = await pages.get(name).browser.evaluate(
          async ({ options, code, programs, name }) => {
            const python = await start(options);
            await python.run(code);
            await fetch(`/image?baker=${name}`, { method: "POST", body: await python.bake() });
            const printed = await runAll(python, programs);
            python.dispose();
            return printed;
          },
          { options, code, programs, name },
        );
        started.set(name, outcome);
        for (const [what, printed] of Object.entries(outcome)) {
          assert.doesNotMatch(printed, /^\w*Error: /, what);
          assert.notEqual(printed, "", what);
        }
        assertSame(outcome, started.get(BROWSERS[0]));
      });
    }

    for (const baker of BROWSERS) {
      for (const name of BROWSERS) {
        it(`of ${baker} do the same in ${name}`, async () => {
          const found = await pages.get(name).browser.evaluate(
            async ({ programs, baker }) => {
              const python = await start({ image: `/image?baker=${baker}` });
              const printed = await runAll(python, programs);
              const { imageRefused } = python.timings;
              python.dispose();
              return { printed, imageRefused };
            },
            { programs, baker },
          );
          assert.equal(found.imageRefused, undefined);
          assertSame(found.printed, started.get(name));
        });
      }
    }
  });
}
