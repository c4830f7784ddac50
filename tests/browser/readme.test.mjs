/** The first program of the README, as it stands there. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { root } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

/** A program of a document as a module of the test's page, where neither the package nor the public CDN has its address. */
function asPage(program) {
  const replaced = [
    [/from "taipan"/, 'from "/taipan/index.js"'],
    [/loadPython\(\)/, 'loadPython({ indexURL: "/python/" })'],
  ];
  return replaced.reduce((text, [pattern, by]) => {
    assert.match(text, pattern);
    return text.replace(pattern, by);
  }, program);
}

describe("the README", { timeout: 120_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
  });
  after(() => api?.close());

  it("begins with a program that brings pandas and shows a table", async () => {
    const document = await readFile(join(root, "README.md"), "utf8");
    const [, program] = /```ts\n(import .*?)```/s.exec(document);
    const found = await api.evaluate(
      async (source) => {
        const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        const { value, outputs, python } = await import(url);
        const packages = (await python.loadedPackages()).map(({ name }) => name);
        python.dispose();
        return { value, outputs, packages };
      },
      `${asPage(program).replaceAll('"/', `"${api.server.url}/`)}\nexport { value, outputs, python };`,
    );
    assert.ok(found.packages.includes("pandas"), found.packages.join());
    assert.match(JSON.stringify(found.outputs), /Basel.*5.*Bern.*11/s);
  });
});
