/** A page whose downloads come from a server that stalls, cuts, lies, is busy, or sends something else. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { distributionFolder } from "../../../scripts/common/paths.mjs";
import { openApiPage } from "../../support/api-page.mjs";

export const FOLDER = distributionFolder("0.28.3");
/** The same folder under other names. */
export const MIRRORS = ["/first/", "/second/"];
/** Milliseconds without a byte that are too many in these tests. */
export const STALL = 800;
/** Packages that need no other, of more than 150 KB and of less. Each test uses up some. */
export const LARGE = [
  "numpy",
  "libopenblas",
  "fonttools",
  "pillow",
  "libopenssl",
  "pytz",
  "mpmath",
  "regex",
  "joblib",
  "jiter",
];
export const SMALL = [
  "six",
  "sniffio",
  "annotated-types",
  "threadpoolctl",
  "platformdirs",
  "distro",
  "soupsieve",
  "kiwisolver",
  "typing-extensions",
  "charset-normalizer",
  "idna",
  "packaging",
  "click",
  "pyparsing",
  "micropip",
  "urllib3",
];

/** The page. */
export let api;
/** The lock file of the distribution. */
export let lock;

/** Opens a page for the tests of a file, and lets the server answer as usual before each. */
export function usePage() {
  before(async () => {
    lock = JSON.parse(await readFile(join(FOLDER, "pyodide-lock.json"), "utf8"));
    const mirrors = MIRRORS.map((path) => [path, { folder: FOLDER, immutable: false }]);
    api = await openApiPage({ roots: Object.fromEntries(mirrors) });
    await api.evaluate((stallTimeoutMs) => {
      const pythons = {};
      /** Python that the tests share which want the same of it. */
      globalThis.python = (options) => {
        pythons[JSON.stringify(options)] ??= start({ cache: "none", stallTimeoutMs, ...options, onProgress: note });
        return pythons[JSON.stringify(options)];
      };
      globalThis.progress = [];
      const note = (one) => progress.push(one);
    }, STALL);
  });
  afterEach(() => {
    api.server.hooks.length = 0;
    api.server.log.length = 0;
  });
  after(() => api?.close());
}

/** A package that has not been loaded, and its file. */
export async function take(pool) {
  const name = pool.shift();
  const file = lock.packages[name].file_name;
  return { name, file, size: (await stat(join(FOLDER, file))).size };
}

/**
 * Cuts once after so many bytes. They come slowly enough to be taken before the connection breaks: the browser drops what
 * has not been read when it does.
 */
export const cut = (match, truncate) => ({ match, truncate, bytesPerSecond: 4 * truncate, ranges: true, times: 1 });

/** The server does so from now on, and no cache of the browser's answers in its place. */
export function serve(...hooks) {
  const uncached = (hook) =>
    hook.ranges ? { ...hook, headers: { "Cache-Control": "no-store", ...hook.headers } } : hook;
  const rest = { match: /\/(python|first|second)\//, ranges: true };
  api.server.hooks.splice(0, Number.POSITIVE_INFINITY, ...[...hooks, rest].map(uncached));
  api.server.log.length = 0;
}

/** Loads packages. Resolves with how long that took, what it failed with, and what was reported meanwhile. */
export const load = (names, options = {}) =>
  api.evaluate(
    async ({ names, options }) => {
      const instance = await python(options);
      progress.length = 0;
      const begin = performance.now();
      const { resolved, ...error } = await caught(instance.loadPackage(names));
      return { error: resolved ? undefined : error, took: performance.now() - begin, progress: [...progress] };
    },
    { names, options },
  );

/** What has been asked for since {@link serve}. */
export const requests = (pattern) => api.server.log.filter(({ path }) => path.match(pattern));
export const statuses = (pattern) => requests(pattern).map(({ status }) => status);
export const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
