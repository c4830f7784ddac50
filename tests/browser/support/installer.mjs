/** Interpreters that install, and indexes that offer wheels to them. */
import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { openApiPage } from "../../support/api-page.mjs";
import { startIndex } from "../../support/simple-index.mjs";

/** Names and versions, in order. */
export const names = (packages) => packages.map(({ name, version }) => `${name} ${version}`).sort();

/** Functions of a page's shared interpreter. */
export function using(getApi) {
  const call = (method, args) =>
    getApi().evaluate(async ([method, args]) => (await shared())[method](...args), [method, args]);
  return {
    run: (code) => call("run", [code]),
    install: (...args) => call("install", args),
    installFails: (...args) => getApi().evaluate(async (args) => caught((await shared()).install(...args)), args),
    loaded: () => call("loadedPackages", []),
    freeze: () => call("freeze", []),
    fresh: () =>
      getApi().evaluate(() => {
        globalThis.sharedPython?.then((python) => python.dispose());
        globalThis.sharedPython = undefined;
      }),
  };
}

/** A page, and an index that offers what a test puts there. Its pages are as usual before each test. */
export function useIndex() {
  let api;
  const world = {
    ...using(() => api),
    index: undefined,
    options: (more) => ({ indexURLs: [world.index.root], ...more }),
    offer: (...files) => world.index.files.splice(0, world.index.files.length, ...files),

    /** After whatever went wrong: nothing of it is there, and the interpreter goes on. */
    async nothingHappened(...packages) {
      const here = (await world.loaded()).map(({ name }) => name);
      assert.ok(
        packages.every((name) => !here.includes(name)),
        here.join(),
      );
      assert.equal((await world.run("6 * 7")).value, 42);
    },
  };
  before(async () => {
    world.index = await startIndex([]);
    api = await openApiPage();
    world.api = api;
  });
  after(async () => {
    await api?.close();
    await world.index?.close();
  });
  beforeEach(() => {
    world.index.log.length = 0;
    for (const path of Object.keys(world.index.pages)) delete world.index.pages[path];
  });
  return world;
}
