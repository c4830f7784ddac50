/** What is kept from one visit to the next: a page for the tests of a file, which they share. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach } from "node:test";
import { KEPT_FUNCTIONS } from "../../../scripts/common/kept.mjs";
import { distributionFolder } from "../../../scripts/common/paths.mjs";
import { openApiPage } from "../../support/api-page.mjs";

/** The lock file of the distribution. */
export const lock = JSON.parse(await readFile(join(distributionFolder("0.28.3"), "pyodide-lock.json"), "utf8"));

/** The SHA-256 of a package of the lock file. */
export const hashOf = (name) => lock.packages[name].sha256;

/** In the page: waits until what is kept is as wanted; the index as it then is. */
const keptWhen = async (condition) => {
  for (let waited = 0; waited < 150; waited += 1) {
    const index = await readIndex();
    if (condition(index)) return index;
    await sleep(200);
  }
  throw new Error(`It does not come: ${JSON.stringify(await readIndex())}`);
};

/** In the page: waits until these hashes are kept. */
const keptHashes = (...hashes) => keptWhen(({ content }) => hashes.every((hash) => content[hash]));

/** In the page: a worker in which something of the browser is missing. */
const workerWith = (patch) => () => {
  const patched = `data:text/javascript,${encodeURIComponent(patch)}`;
  const source = `import ${JSON.stringify(patched)}; import "${location.origin}/taipan/worker.js";`;
  return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
};

/** For any page of that server. */
export const HELPERS = `${KEPT_FUNCTIONS}
  globalThis.keptWhen = ${keptWhen};
  globalThis.keptHashes = ${keptHashes};
  globalThis.workerWith = ${workerWith};
  globalThis.deny = (object, method) =>
    object + "." + method + " = () => Promise.reject(new DOMException('denied', 'SecurityError'));";
  globalThis.NO_OPFS = deny("StorageManager.prototype", "getDirectory");
  globalThis.NO_CACHE = deny("CacheStorage.prototype", "open");`;

/** Opens a page with these functions, for the tests of a `describe`; the page is there when they run. */
export function useStorePage() {
  const api = {
    /** The wheels that the server was asked for. */
    wheelsAsked: () => api.server.log.filter(({ path }) => path.endsWith(".whl")).map(({ path }) => path),
    /** Forgets everything that is kept. */
    empty: () => api.evaluate(async () => (await shared()).store.clear()),
  };
  before(async () => {
    Object.assign(api, await openApiPage());
    await api.page.evaluate(HELPERS);
  });
  after(() => api.close?.());
  beforeEach(() => {
    api.server.log.length = 0;
    api.server.hooks.length = 0;
  });
  return api;
}
