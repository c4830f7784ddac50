import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../scripts/common/command.mjs";
import { hasContent, readJson, sha256, withTemporaryFolder, writeWhole } from "../../scripts/common/file.mjs";
import { withLock } from "../../scripts/common/lock.mjs";
import { Problem } from "../../scripts/common/problem.mjs";
import { distributions, missing, placeChecked } from "../../scripts/setup/distribution.mjs";
import { lockedVersion } from "../../scripts/setup/wasm-tools.mjs";
import { tally } from "../../scripts/test/tally.mjs";

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-setup-"));
});
after(() => rm(folder, { recursive: true }));

const HELLO = { sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", size: 5 };

test("a file is known by its content", async () => {
  const path = join(folder, "hello");
  await writeWhole(path, "hello");
  assert.equal(await sha256(path), HELLO.sha256);
  assert.equal(await hasContent(path, HELLO), true);
  await writeWhole(path, "jello");
  assert.equal(await hasContent(path, HELLO), false);
  assert.equal(await hasContent(join(folder, "none"), HELLO), false);
  assert.equal(await sha256(join(folder, "none")), undefined);
});

test("files that are not what they should be are not placed", async () => {
  const source = join(folder, "source");
  const destination = join(folder, "destination");
  await mkdir(source);
  await writeFile(join(source, "a"), "hello");
  await writeFile(join(source, "b"), "other");
  await placeChecked(source, destination, { a: HELLO });
  assert.deepEqual(await missing(destination, { a: HELLO, b: HELLO }), ["b"]);
  await assert.rejects(placeChecked(source, destination, { b: HELLO }), /b is not the file it should be/);
  await assert.rejects(stat(join(destination, "b")));
});

test("a temporary folder is gone after a failure", async () => {
  let seen;
  const body = async (temporary) => {
    seen = temporary;
    throw new Error("no");
  };
  await assert.rejects(withTemporaryFolder(join(folder, "thing"), body));
  await assert.rejects(stat(seen));
});

test("broken JSON is no JSON", async () => {
  await writeFile(join(folder, "broken.json"), "{");
  assert.equal(await readJson(join(folder, "broken.json")), undefined);
});

/** Processes that each add one to a number, reading and writing it with a pause between. */
const adder = (lock, counter) => `
  import { readFile, writeFile } from "node:fs/promises";
  import { setTimeout as sleep } from "node:timers/promises";
  import { withLock } from ${JSON.stringify(new URL("../../scripts/common/lock.mjs", import.meta.url).href)};
  await withLock(${JSON.stringify(lock)}, async () => {
    const number = Number(await readFile(${JSON.stringify(counter)}, "utf8"));
    await sleep(50);
    await writeFile(${JSON.stringify(counter)}, String(number + 1));
  });`;

test("a lock lets one process in at a time", async () => {
  const counter = join(folder, "counter");
  await writeFile(counter, "0");
  const script = adder(join(folder, "locks", "counter.lock"), counter);
  const start = () =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
      child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`code ${code}`))));
    });
  await Promise.all([start(), start(), start(), start(), start()]);
  assert.equal(await readFile(counter, "utf8"), "5");
});

test("the lock of a process that is gone is taken over, at once or when it has gone cold", async () => {
  const lock = join(folder, "stale.lock");
  const { stdout } = await run(process.execPath, ["-p", "process.pid"]);
  await mkdir(lock);
  await writeFile(join(lock, "owner"), `${stdout.trim()}\n${hostname()}\n`);
  assert.equal(await withLock(lock, async () => "in"), "in");
  await mkdir(lock);
  await writeFile(join(lock, "owner"), "1\nanother-machine\n");
  const old = new Date(Date.now() - 120_000);
  await utimes(lock, old, old);
  assert.equal(await withLock(lock, async () => "in"), "in");
  await assert.rejects(stat(lock));
});

test("a lock is left after a failure", async () => {
  const lock = join(folder, "failed.lock");
  await assert.rejects(
    withLock(lock, async () => {
      throw new Error("no");
    }),
  );
  await assert.rejects(stat(lock));
});

test("a command that fails says what it was and what to do", async () => {
  const failing = run(process.execPath, ["-e", "console.error('broken pipe wrench'); process.exit(3)"], {
    next: "Mend it.",
  });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof Problem);
    assert.match(error.message, /ended with code 3.*broken pipe wrench/s);
    assert.equal(error.next, "Mend it.");
    return true;
  });
  await assert.rejects(run("no-such-program-of-taipan", []), /could not be found/);
});

test("a program whose time is up says so, even where it ends in its own way", async () => {
  const polite = "process.on('SIGTERM', () => process.exit(1)); setInterval(() => {}, 1000); console.log('ready')";
  const { code, reason, stdout } = await run(process.execPath, ["-e", polite], { mayFail: true, timeout: 3000 });
  assert.deepEqual([code, reason, stdout], [1, "was stopped after 0.05 minutes", "ready\n"]);
});

test("wasm-bindgen's program follows the crate in Cargo.lock", async () => {
  assert.match(await lockedVersion("wasm-bindgen"), /^\d+\.\d+\.\d+$/);
  await assert.rejects(lockedVersion("no-such-crate"), Problem);
});

test("every file of a distribution is named with a hash", () => {
  for (const { files, wheels, indexWheels } of Object.values(distributions)) {
    const hashed = { ...files, ...indexWheels?.files, ...(wheels && { carrier: wheels.carrier }) };
    for (const [name, { sha256: hash, size }] of Object.entries(hashed)) {
      assert.match(hash, /^[0-9a-f]{64}$/, name);
      assert.ok(size > 0, name);
    }
  }
});

test("the tally reads what each runner prints", () => {
  const output = [
    "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
    "ℹ pass 3",
    "ℹ fail 1",
    "ℹ cancelled 1",
    "\u001b[34mℹ pass 2\u001b[39m",
    "4 passed, 0 failed",
    "7 passed, 0 failed",
    "talk of 5 passed, 5 failed in the middle",
  ];
  assert.deepEqual(tally(output.join("\n")), { passed: 24, failed: 3 });
});
