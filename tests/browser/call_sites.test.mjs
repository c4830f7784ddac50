/** What the browser concludes from the calls of CPython's that it sees. V8 says when it was wrong, and where. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { distributionFolder } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

/** Functions that call methods of types, and that V8 puts into the interpreter's loop. */
const CALLERS = [
  "PyIter_Next",
  "PyObject_CallOneArg",
  "PyObject_GetAttr",
  "PyObject_GetIter",
  "PyObject_IS_GC",
  "PyObject_Size",
  "PyObject_Vectorcall",
  "PySequence_Contains",
];

/** Enough for the loop to be optimised, and for types that it has not seen by then. */
const IMPORTS = `
import argparse, asyncio, collections, dataclasses, decimal, email.message, fractions, http.client, inspect, json
import statistics, typing, unittest, xml.dom.minidom
`;

const EXPORTS = 7;
const CODE = 10;

/**
 * Where the code of exported functions is in a module.
 *
 * @param {Buffer} bytes
 * @returns {(offset: number) => string | undefined} the function that has the byte at an offset
 */
function functionsOf(bytes) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  // The imported functions come first, and the section of imports need not be read for how many there are.
  let next = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).filter(({ kind }) => kind === "function").length;
  const names = new Map();
  const bodies = [];
  while (at < bytes.length) {
    const [id, length] = [bytes[at++], number()];
    const end = at + length;
    if (id === EXPORTS) {
      for (let left = number(); left > 0; left -= 1) {
        const size = number();
        const name = bytes.toString("utf8", at, at + size);
        at += size;
        const kind = bytes[at++];
        const index = number();
        if (kind === 0) names.set(index, name);
      }
    } else if (id === CODE) {
      for (let left = number(); left > 0; left -= 1, next += 1) {
        const size = number();
        bodies.push({ index: next, end: at + size });
        at += size;
      }
    }
    at = end;
  }
  return (offset) => names.get(bodies.find((body) => offset < body.end)?.index);
}

for (const version of ["0.28.3", "314.0.7"]) {
  describe(`CPython's calls of methods, with ${version}`, { timeout: 120_000 }, () => {
    let page;
    let folder;
    let trace;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "taipan-trace-"));
      trace = join(folder, "trace");
      const flags = `--trace-deopt --redirect-code-traces --redirect-code-traces-to=${trace}`;
      page = await openApiPage({ version, flags: [`--js-flags=${flags}`] });
    });
    after(async () => {
      await page.close();
      await rm(folder, { recursive: true });
    });

    it("throw no optimised code away", async () => {
      await page.evaluate(async (imports) => (await start()).run(imports), IMPORTS);
      const nameOf = functionsOf(await readFile(join(distributionFolder(version), "pyodide.asm.wasm")));
      const wrong = (await readFile(trace, "utf8")).matchAll(/wrong call target.*bytecode offset (\d+)/g);
      const names = [...wrong].map(([, offset]) => nameOf(Number(offset)));
      assert.deepEqual(
        names.filter((name) => CALLERS.includes(name)),
        [],
      );
    });
  });
}
