import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveFolder, resolvePackage, resolveUrl } from "../../.cache/js/address.js";
import * as taipan from "../../.cache/js/index.js";

describe("the package, where there is no browser", () => {
  it("can be imported, and says why it does not start", async () => {
    await assert.rejects(taipan.loadPython(), (error) => taipan.isTaipanError(error, "NOT_SUPPORTED"));
  });

  it("shows this and nothing else", () => {
    assert.deepEqual(Object.keys(taipan).sort(), [
      "AbortedError",
      "FatalError",
      "FileSystemError",
      "IntegrityError",
      "InterruptedError",
      "LoadError",
      "PackageNotFoundError",
      "PythonError",
      "ResolutionError",
      "TaipanError",
      "TimeoutError",
      "isTaipanError",
      "loadPython",
    ]);
  });
});

describe("an option of loadPython that is wrong", () => {
  const wrong = {
    indexURL: 7,
    lockFileURL: null,
    lockFileContents: 1,
    packageBaseUrl: {},
    packages: "numpy",
    image: { name: "" },
    env: { A: 1 },
    cache: "always",
    cacheLimit: -1,
    checkpointLimit: 0.5,
    stallTimeoutMs: 0,
    signal: {},
    stdin: "line",
    onProgress: true,
    onNotice: "tell",
    onOutput: 1,
    worker: new URL("https://example.org/worker.js"),
  };
  for (const [name, value] of Object.entries(wrong)) {
    it(`is named: ${name}`, async () => {
      await assert.rejects(
        taipan.loadPython({ [name]: value }),
        (error) => taipan.isTaipanError(error, "BAD_ARGUMENT") && error.message.startsWith(`${name} must be `),
      );
    });
  }

  it("is named: mirrors that are none", async () => {
    for (const packageBaseUrl of [[], ["/a/", 7]]) {
      await assert.rejects(taipan.loadPython({ packageBaseUrl }), (error) =>
        error.message.startsWith("packageBaseUrl must be "),
      );
    }
  });

  it("is named if there is none of that name, and those that are are listed", async () => {
    await assert.rejects(
      taipan.loadPython({ indexUrl: "/" }),
      (error) =>
        taipan.isTaipanError(error, "BAD_ARGUMENT") && /indexUrl/.test(error.message) && /indexURL/.test(error.hint),
    );
  });

  it("is not one that is undefined", async () => {
    const options = Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined]));
    await assert.rejects(taipan.loadPython(options), (error) => taipan.isTaipanError(error, "NOT_SUPPORTED"));
  });

  it("is no signal that has aborted: that is ABORTED", async () => {
    await assert.rejects(taipan.loadPython({ signal: AbortSignal.abort() }), (error) =>
      taipan.isTaipanError(error, "ABORTED"),
    );
  });
});

describe("an address", () => {
  it("of a folder gets its slash, and keeps its query", () => {
    assert.equal(resolveFolder("o", "https://example.org/python"), "https://example.org/python/");
    assert.equal(resolveFolder("o", "https://example.org/python/"), "https://example.org/python/");
    assert.equal(resolveFolder("o", new URL("https://example.org/p?key=1")), "https://example.org/p/?key=1");
  });

  it("that is none is BAD_ARGUMENT", () => {
    for (const url of ["http://", "relative/without/a/page"]) {
      assert.throws(
        () => resolveUrl("o", url),
        (error) => taipan.isTaipanError(error, "BAD_ARGUMENT"),
      );
    }
  });

  it("of a package is told from its name", () => {
    assert.equal(resolvePackage("o", "numpy"), "numpy");
    assert.equal(resolvePackage("o", "zope.interface"), "zope.interface");
    assert.equal(
      resolvePackage("o", "https://example.org/a-1-py3-none-any.whl"),
      "https://example.org/a-1-py3-none-any.whl",
    );
    assert.throws(
      () => resolvePackage("o", "a-1-py3-none-any.whl"),
      (error) => taipan.isTaipanError(error, "BAD_ARGUMENT"),
    );
  });
});
