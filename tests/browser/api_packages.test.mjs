/** The API with the real distribution: packages by name, by address and by import. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";

let api;
before(async () => {
  api = await openApiPage();
});
after(() => api?.close());

describe("packages", () => {
  it("come by name with what they need, by URL, and by import", async () => {
    const found = await api.evaluate(async () => {
      const python = await start();
      const progress = [];
      const named = await python.loadPackage("python-dateutil");
      const again = await python.loadPackage(["python-dateutil"]);
      const wheel = await python.loadPackage("/python/click-8.2.1-py3-none-any.whl");
      const { value } = await python.run("import dateutil.parser, click, numpy\nint(numpy.linalg.det(numpy.eye(3)));");
      const loaded = (await python.loadedPackages()).map(({ name }) => name).sort();
      const linked = python.timings.modulesLinked;
      python.dispose();
      return { named, again, wheel, value, loaded, linked, progress };
    });
    assert.deepEqual(found.named.map(({ name }) => name).sort(), ["python-dateutil", "six"]);
    assert.deepEqual(found.again, []);
    assert.equal(found.wheel[0].name, "click");
    assert.match(found.wheel[0].source, /^http/);
    assert.equal(found.value, 1);
    assert.deepEqual(found.loaded, ["click", "numpy", "python-dateutil", "six"]);
    assert.ok(found.linked > 0);
  });

  it("that do not exist are PackageNotFoundError, with near names", async () => {
    const error = await api.evaluate(async () => caught((await shared()).loadPackage("nunpy")));
    assert.deepEqual([error.name, error.code], ["PackageNotFoundError", "PACKAGE_NOT_FOUND"]);
    assert.ok(error.suggestions.includes("numpy"), JSON.stringify(error.suggestions));
    assert.match(error.message, /nunpy/);
  });

  it("that cannot be had leave nothing behind, and are named", async () => {
    const error = await api.evaluate(async () => {
      const python = await shared();
      const error = await caught(python.loadPackage(["six", "/python/no_such-1.0-py3-none-any.whl"]));
      return { error, loaded: (await python.loadedPackages()).map(({ name }) => name) };
    });
    assert.ok(error.error.ours, JSON.stringify(error));
    assert.match(JSON.stringify(error.error), /no_such/);
    assert.ok(!error.loaded.includes("six"), `${error.loaded}`);
  });

  it("with the wrong bytes are IntegrityError", async () => {
    api.server.hooks.push({ match: /sniffio-.*\.whl$/, corrupt: true });
    try {
      const error = await api.evaluate(async () => caught((await shared()).loadPackage("sniffio")));
      assert.deepEqual([error.name, error.code], ["IntegrityError", "INTEGRITY"]);
    } finally {
      api.server.hooks.length = 0;
    }
  });

  it("can be given up while they come", async () => {
    api.server.hooks.push({ match: /scipy-.*\.whl$/, hang: true });
    try {
      const found = await api.evaluate(async () => {
        const python = await start();
        const controller = new AbortController();
        const loading = caught(python.loadPackage("scipy", { signal: controller.signal }));
        await sleep(500);
        controller.abort();
        const error = await loading;
        const { value } = await python.run("1;");
        const loaded = await python.loadedPackages();
        python.dispose();
        return { error, value, loaded };
      });
      assert.equal(found.error.code, "ABORTED");
      assert.equal(found.value, 1);
      assert.deepEqual(found.loaded, []);
    } finally {
      api.server.hooks.length = 0;
    }
  });

  it("says which argument is wrong", async () => {
    const codes = await api.evaluate(async () => {
      const python = await shared();
      const wrong = [
        python.loadPackage(7),
        python.loadPackage([""]),
        python.loadPackage([{}]),
        python.loadPackagesFromImports(1),
      ];
      return Promise.all(wrong.map(async (one) => (await caught(one)).code));
    });
    assert.deepEqual(codes, Array(4).fill("BAD_ARGUMENT"));
  });
});
