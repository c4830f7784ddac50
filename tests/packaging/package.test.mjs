/** What strangers get: the packed package, installed in a project that knows nothing of this repository. */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import esbuild from "esbuild";
import webpack from "webpack";
import { openBrowser } from "../../scripts/common/browser.mjs";
import { run } from "../../scripts/common/command.mjs";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";
import { startServer } from "../../scripts/server.mjs";

const MAIN = `
  import { loadPython } from "taipan";
  globalThis.outcome = (async () => {
    const python = await loadPython({ indexURL: new URL("/python/0.28.3/", location.href) });
    const { value, outputs } = await python.run("import numpy\\nprint('hello')\\nint(numpy.arange(5).sum())");
    await python.dispose();
    return { value, outputs, version: python.version };
  })().catch((error) => ({ error: String(error?.stack ?? error) }));
`;

/** The same with the API of Pyodide, on the page's own thread. */
const PYODIDE = `
  import { loadPyodide } from "taipan/pyodide";
  globalThis.outcome = (async () => {
    const outputs = [];
    const stdout = (text) => outputs.push({ type: "stdout", text });
    const indexURL = new URL("/python/0.28.3/", location.href).href;
    const pyodide = await loadPyodide({ indexURL, stdout, packages: ["numpy"] });
    const value = pyodide.runPython("import numpy\\nprint('hello')\\nint(numpy.arange(5).sum())");
    return { value, outputs, version: pyodide.version };
  })().catch((error) => ({ error: String(error?.stack ?? error) }));
`;

/** The same with the element. */
const ELEMENT = `
  import { PythonCell } from "taipan/element";
  globalThis.outcome = (async () => {
    const cell = document.createElement("python-cell");
    cell.setAttribute("index-url", "/python/0.28.3/");
    cell.code = "import numpy\\nprint('hello')\\nint(numpy.arange(5).sum())";
    document.body.append(cell);
    if (!(cell instanceof PythonCell)) throw new Error("not a PythonCell");
    return { ...(await cell.run()), version: (await cell.python).version };
  })().catch((error) => ({ error: String(error?.stack ?? error) }));
`;

const page = (script) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title></head><body>${script}</body></html>`;

let folder;
let project;
let packed;
let server;
let context;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-packaging-"));
  project = join(folder, "project");
  await mkdir(project);
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
  });
  [packed] = JSON.parse(stdout);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  const archive = join(folder, packed.filename);
  await run("npm", ["install", archive, "--offline", "--no-audit", "--no-fund"], { cwd: project });
  server = await startServer({ roots: { "/": project, "/python/0.28.3/": distributionFolder("0.28.3") } });
  context = await openBrowser(join(folder, "profile"));
});

after(async () => {
  await context?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Opens a page of the project and waits for what its script found out. */
async function open(path) {
  const tab = await context.newPage();
  const complaints = [];
  tab.on("pageerror", (error) => complaints.push(String(error)));
  try {
    await tab.goto(`${server.url}${path}`);
    await tab.waitForFunction(() => globalThis.outcome !== undefined, undefined, { timeout: 30_000 });
    return await tab.evaluate(() => globalThis.outcome);
  } catch (error) {
    throw new Error(`${path}: ${complaints.join("; ") || "no error on the page"}`, { cause: error });
  } finally {
    await tab.close();
  }
}

function assertRan(outcome) {
  assert.equal(outcome.error, undefined);
  assert.equal(outcome.value, 10);
  assert.ok(outcome.outputs.some(({ type, text }) => type === "stdout" && text.includes("hello")));
}

test("the package holds what runs, its types, its licence, and nothing else", () => {
  const names = packed.files.map(({ path }) => path);
  for (const name of [
    "dist/index.js",
    "dist/index.d.ts",
    "dist/worker.js",
    "dist/pyodide.js",
    "dist/pyodide.d.ts",
    "dist/pyodide_ffi.d.ts",
    "dist/element.js",
    "dist/element.d.ts",
    "dist/view.js",
    "dist/wasm/engine.js",
    "dist/wasm/taipan_web_bg.wasm",
    "dist/wasm/taipan_web_checkpoint.wasm",
    "dist/wasm/taipan_web_image.wasm",
    "dist/wasm/taipan_web_resolver.wasm",
    "dist/cli/wasm/taipan_node_bg.wasm",
    "dist/bytecode/0.28.3.zip",
    "docs/api.md",
    "docs/bake.md",
    "docs/prepare.md",
    "LICENSE",
  ]) {
    assert.ok(names.includes(name), name);
  }
  const known = /^dist\/|^docs\/[\w-]+\.md$|^node_modules\/@bokuweb\/zstd-wasm\/|^(LICENSE|README\.md|package\.json)$/;
  const strange = names.filter((name) => !known.test(name));
  assert.deepEqual(strange, []);
});

test("it depends on nothing that does not come with it", async () => {
  const installed = (await readdir(join(project, "node_modules"))).filter((name) => !name.startsWith("."));
  assert.deepEqual(installed, ["taipan"]);
});

test("its command compresses with what comes with it", async () => {
  const { compress, decompress } = await import(join(project, "node_modules", "taipan", "dist", "cli", "zstd.mjs"));
  assert.equal((await decompress(await compress(Buffer.from("taipan"), 19))).toString(), "taipan");
});

test("its command resolves packages", async () => {
  const tool = join(project, "node_modules", ".bin", "taipan");
  const place = ["--distribution", distributionFolder("0.28.3"), "--index-urls", ""];
  const { code, stderr } = await run(tool, ["prepare", "out", "--packages", "pandsa", ...place], {
    cwd: project,
    mayFail: true,
  });
  assert.equal(code, 1);
  assert.match(stderr, /\[PACKAGE_NOT_FOUND\]\n.*Did you mean pandas\?/);
});

for (const [name, script] of [
  ["taipan", MAIN],
  ["taipan/pyodide", PYODIDE],
  ["taipan/element", ELEMENT],
]) {
  test(`${name} in a page with a script of type module and an import map`, async () => {
    const addresses = { taipan: "index.js", "taipan/pyodide": "pyodide.js", "taipan/element": "element.js" };
    const imports = { [name]: `/node_modules/taipan/dist/${addresses[name]}` };
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    await writeFile(join(project, "plain.html"), page(`${map}<script type="module">${script}</script>`));
    assertRan(await open("/plain.html"));
  });

  test(`${name} with webpack without configuration`, () => bundled(script));
}

async function bundled(script) {
  await writeFile(join(project, "main.js"), script);
  await rm(join(project, "bundle"), { recursive: true, force: true });
  const stats = await promisify(webpack)({
    mode: "production",
    context: project,
    entry: "./main.js",
    output: { path: join(project, "bundle"), filename: "main.js" },
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }).errors, []);
  await writeFile(join(project, "bundle", "index.html"), page(`<script src="main.js"></script>`));
  await assertRunsAlone(join(project, "bundle"));
}

/** Opens a page of which nothing is served but a folder, and Python. */
async function assertRunsAlone(bundled) {
  const bundle = await startServer({ roots: { "/": bundled, "/python/0.28.3/": distributionFolder("0.28.3") } });
  const own = server;
  try {
    server = bundle;
    assertRan(await open("/"));
  } finally {
    server = own;
    await bundle.close();
  }
}

test("taipan with esbuild, beside the files that esbuild leaves alone", async () => {
  await writeFile(join(project, "main.js"), MAIN);
  const output = join(project, "bundle");
  await rm(output, { recursive: true, force: true });
  const entry = join(project, "main.js");
  await esbuild.build({ entryPoints: [entry], bundle: true, format: "esm", outdir: output, logLevel: "error" });
  for (const name of ["worker.js", "wasm", "bytecode"]) {
    await cp(join(project, "node_modules", "taipan", "dist", name), join(output, name), { recursive: true });
  }
  await writeFile(join(output, "index.html"), page(`<script type="module" src="main.js"></script>`));
  await assertRunsAlone(output);
});

test("its command runs where it is installed, and what it writes runs in a page", async () => {
  const tool = join(project, "node_modules", ".bin", "taipan");
  const { stdout: help } = await run(tool, ["--help"], { cwd: project });
  assert.match(help, /Usage: taipan prepare DIR/);
  const distribution = distributionFolder("0.28.3");
  const args = ["prepare", "python", "--packages", "six", "--distribution", distribution, "--compress", "none"];
  const { stdout } = await run(tool, args, { cwd: project });
  assert.match(stdout, /six-1\.17\.0/);
  const script = MAIN.replace("/python/0.28.3/", "/python/")
    .replace("import numpy", "import six")
    .replace("int(numpy.arange(5).sum())", "10 if six.PY3 else 0");
  const imports = JSON.stringify({ imports: { taipan: "/node_modules/taipan/dist/index.js" } });
  const html = page(`<script type="importmap">${imports}</script><script type="module">${script}</script>`);
  await writeFile(join(project, "prepared.html"), html);
  assertRan(await open("/prepared.html"));
});

test("what most pages import is one file, and a class is the same in all entries", async () => {
  const source = await readFile(join(project, "node_modules", "taipan", "dist", "index.js"), "utf8");
  const imports = [...source.matchAll(/^\s*(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"/gm)].map(([, from]) => from);
  assert.deepEqual(imports, []);
  const script = `
    const [main, pyodide] = [await import("taipan"), await import("taipan/pyodide")];
    const same = ["TaipanError", "LoadError", "IntegrityError", "PackageNotFoundError", "isTaipanError"];
    console.log(JSON.stringify(same.filter((name) => !main[name] || main[name] !== pyodide[name])));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: project });
  assert.deepEqual(JSON.parse(stdout), []);
});

test("importing it on a server touches nothing, starting it says that it needs a browser", async () => {
  const script = `
    const { loadPython } = await import("taipan");
    const { loadPyodide } = await import("taipan/pyodide");
    for (const name of ["taipan/element", "taipan/view"]) await import(name);
    const errors = [loadPython, loadPyodide].map((load) => load().then(() => undefined, (error) => error));
    console.log(JSON.stringify((await Promise.all(errors)).map((error) => ({ code: error?.code, hint: error?.hint }))));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
  for (const { code, hint } of JSON.parse(stdout)) {
    assert.equal(code, "NOT_SUPPORTED");
    assert.match(hint, /browser/);
  }
});

for (const resolution of ["bundler", "nodenext"]) {
  test(`its types hold where modules are resolved as in ${resolution}`, async () => {
    const source = `
      import { loadPython, TaipanError, type Output } from "taipan";
      import { loadPyodide, type PyodideAPI } from "taipan/pyodide";
      import type Pyodide from "taipan/pyodide";
      import type { PyProxy } from "taipan/pyodide/ffi";
      const pyodide: PyodideAPI = await loadPyodide({ indexURL: "/python/" });
      export const other: Pyodide.PyodideInterface = pyodide;
      export const list: PyProxy = pyodide.toPy([1]);
      import "taipan/element";
      import { sanitize } from "taipan/view";
      document.querySelector("python-cell")?.addEventListener("output", (event) => event.type + sanitize("").nodeType);
      export const code: string | undefined = document.querySelector("python-cell")?.code;
      export const loaded: string[] = (await pyodide.loadPackage("numpy")).map(({ fileName }) => fileName);
      const python = await loadPython({ indexURL: "/python/", packages: ["numpy"] });
      const { outputs } = await python.run("1 + 1", { timeoutMs: 1000 });
      const first: Output | undefined = outputs[0];
      if (first?.type === "stdout") console.log(first.text.length);
      // @ts-expect-error an option that does not exist
      await loadPython({ indexUrl: "/python/" });
      // @ts-expect-error code is text
      await python.run(1);
      export const isOurs = (error: unknown): boolean => error instanceof TaipanError && error.code === "TIMEOUT";
    `;
    await writeFile(join(project, "types.ts"), source);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const module = resolution === "bundler" ? "esnext" : "nodenext";
    const options = [
      "--noEmit",
      "--strict",
      "--target",
      "es2022",
      "--lib",
      // What the types need beyond that they ask for themselves.
      "es2022,dom,dom.iterable",
    ];
    const resolving = ["--module", module, "--moduleResolution", resolution];
    await run(process.execPath, [tsc, ...options, ...resolving, "types.ts"], { cwd: project });
  });
}
