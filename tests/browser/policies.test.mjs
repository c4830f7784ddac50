/** Pages that allow themselves little: a content security policy, a sandbox. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { root } from "../../scripts/common/paths.mjs";
import { openApiPage } from "../support/api-page.mjs";

const WORKER = join(process.env.TAIPAN_DIST ?? join(root, "dist"), "worker.js");

let api;
/** The policy that the worker's script is served with: the page's own does not hold there. */
let policy;
before(async () => {
  api = await openApiPage({
    handlers: {
      "/taipan/worker.js": async (_request, response) => {
        if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
        response.setHeader("Content-Type", "text/javascript");
        response.setHeader("Access-Control-Allow-Origin", "*");
        response.end(await readFile(WORKER));
      },
    },
  });
});
after(() => api?.close());

describe("a content security policy", { timeout: 120_000 }, () => {
  it("needs 'wasm-unsafe-eval', and nothing beyond it", async () => {
    policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
    const value = await api.evaluate(async () => {
      const python = await start();
      const { value } = await python.run("import numpy\nint(numpy.arange(4).sum());");
      python.dispose();
      return value;
    });
    assert.equal(value, 6);
  });

  it("without it is an error that says what to allow", async () => {
    policy = "default-src 'self'";
    const error = await api.evaluate(() => caught(start()));
    assert.equal(error.code, "WORKER");
    assert.match(error.hint, /'wasm-unsafe-eval'/);
  });
});

it("a sandboxed page, which has no origin, starts Python all the same", { timeout: 120_000 }, async () => {
  policy = undefined;
  const found = await api.evaluate(async () => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script type="module">
      import { loadPython } from "${location.origin}/taipan/index.js";
      try {
        const python = await loadPython({ indexURL: "${location.origin}/python/" });
        parent.postMessage({ value: (await python.run("6;")).value, store: python.features.store }, "*");
      } catch (error) {
        parent.postMessage({ error: String(error) }, "*");
      }
    </script>`;
    const answer = new Promise((resolve) => {
      addEventListener("message", ({ data }) => resolve(data), { once: true });
    });
    document.body.append(frame);
    try {
      return await answer;
    } finally {
      frame.remove();
    }
  });
  assert.deepEqual(found, { value: 6, store: "memory" });
});
