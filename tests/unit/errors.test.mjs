import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeError, reviveError } from "../../.cache/js/error_transfer.js";
import * as errors from "../../.cache/js/errors.js";

/** What becomes of an error on its way from the worker. */
const cross = (thrown) => reviveError(structuredClone(describeError(thrown)));

/** An error as the engine makes it. */
const engineError = (fields) => Object.assign(new Error(fields.message), { name: "EngineError", ...fields });

const CLASSES = {
  ABORTED: "AbortedError",
  BAD_ARGUMENT: "TaipanError",
  BAD_ARCHIVE: "LoadError",
  BAD_LOCK_FILE: "LoadError",
  BAD_REQUIREMENT: "ResolutionError",
  BAD_WASM: "LoadError",
  BAD_WHEEL: "LoadError",
  CHECKPOINT_GONE: "TaipanError",
  DISPOSED: "TaipanError",
  FATAL: "FatalError",
  FILE_SYSTEM: "FileSystemError",
  INTEGRITY: "IntegrityError",
  INTERRUPTED: "InterruptedError",
  LOAD_HTTP: "LoadError",
  LOAD_NETWORK: "LoadError",
  NOT_SUPPORTED: "TaipanError",
  OUT_OF_MEMORY: "TaipanError",
  PACKAGES_FAILED: "LoadError",
  PACKAGE_NOT_FOUND: "PackageNotFoundError",
  PYTHON: "PythonError",
  RESOLUTION: "ResolutionError",
  TIMEOUT: "TimeoutError",
  WORKER: "TaipanError",
  WRONG_ABI: "LoadError",
};

describe("an error that crosses from the worker", () => {
  for (const [code, name] of Object.entries(CLASSES)) {
    it(`with code ${code} is a ${name}`, () => {
      const error = cross(engineError({ code, message: "it failed", hint: "try again" }));
      assert.equal(error.constructor.name, name);
      assert.ok(error instanceof errors.TaipanError && error instanceof Error);
      assert.equal(error.name, name);
      assert.equal(error.code, code);
      assert.equal(error.message, "it failed");
      assert.equal(error.hint, "try again");
      assert.ok(errors.isTaipanError(error, code));
    });
  }

  it("keeps what its class has to say", () => {
    const frames = [{ filename: "<exec>", line: 3, name: "<module>", source: "1/0" }];
    const python = cross(
      engineError({ code: "PYTHON", message: "m", type: "ZeroDivisionError", traceback: "Trace", frames }),
    );
    assert.deepEqual([python.type, python.traceback, python.frames], ["ZeroDivisionError", "Trace", frames]);

    const file = cross(engineError({ code: "FILE_SYSTEM", message: "m", errno: "ENOENT", path: "/x" }));
    assert.deepEqual([file.errno, file.path], ["ENOENT", "/x"]);

    const packages = [{ name: "a", message: "404", code: "LOAD_HTTP" }];
    assert.deepEqual(cross(engineError({ code: "PACKAGES_FAILED", message: "m", packages })).packages, packages);

    const suggestions = ["numpy"];
    assert.deepEqual(
      cross(engineError({ code: "PACKAGE_NOT_FOUND", message: "m", suggestions })).suggestions,
      suggestions,
    );
  });

  it("keeps its cause, even one that cannot be cloned", () => {
    const cause = Object.assign(new TypeError("Failed to fetch"), { response: () => 1 });
    const error = cross(engineError({ code: "LOAD_NETWORK", message: "m", cause }));
    assert.ok(error.cause instanceof Error);
    assert.deepEqual([error.cause.name, error.cause.message], ["TypeError", "Failed to fetch"]);
    assert.equal(
      cross(engineError({ code: "LOAD_NETWORK", message: "m", cause: Symbol("odd") })).cause.message,
      "Symbol(odd)",
    );
  });

  it("is FATAL if WebAssembly trapped, with a hint", () => {
    const error = cross(new WebAssembly.RuntimeError("unreachable"));
    assert.ok(error instanceof errors.FatalError);
    assert.match(error.hint, /restart\(\)/);
    assert.match(error.message, /unreachable/);
  });

  it("is FATAL if Pyodide's bridge has given the interpreter up", () => {
    const overflow = Object.assign(new RangeError("Maximum call stack size exceeded"), { pyodide_fatal_error: true });
    assert.equal(cross(overflow).code, "FATAL");
    assert.equal(cross(new RangeError("Maximum call stack size exceeded")).code, "WORKER");
  });

  it("says what Rust panicked about, if that was why", () => {
    globalThis.taipanPanic = "panicked at crate/web/src/lib.rs:1:2:\nodd";
    try {
      const trapped = cross(new WebAssembly.RuntimeError("unreachable"));
      const met = cross(engineError({ code: "FATAL", message: "the bridge cannot be started: unreachable" }));
      for (const error of [trapped, met]) {
        assert.match(error.message, /unreachable.*defect of Taipan.*lib\.rs:1:2:\nodd/s);
        assert.match(error.hint, /restart\(\)/);
      }
      assert.equal(cross(engineError({ code: "INTEGRITY", message: "m" })).message, "m");
    } finally {
      delete globalThis.taipanPanic;
    }
  });

  it("is WORKER if it has no code of ours, whatever was thrown", () => {
    for (const thrown of [new TypeError("odd"), "odd", { odd: 1 }, undefined, null, Symbol("odd")]) {
      assert.equal(cross(thrown).code, "WORKER");
    }
    assert.equal(cross(Object.assign(new Error("x"), { code: "toString" })).code, "WORKER");
    assert.equal(cross(Object.assign(new Error("x"), { code: 20 })).code, "WORKER");
  });
});

describe("isTaipanError", () => {
  it("tells our errors from others, and codes apart", () => {
    const error = new errors.TaipanError({ code: "DISPOSED", message: "m" });
    assert.equal(errors.isTaipanError(error), true);
    assert.equal(errors.isTaipanError(error, "FATAL"), false);
    assert.equal(errors.isTaipanError(new Error("m")), false);
    assert.equal(errors.isTaipanError(null), false);
  });
});
