/** A distribution prepared for serving: the first visit compiles nothing, and damage is noticed. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { prepare } from "../../scripts/prepare.mjs";
import { openApiPage } from "../support/api-page.mjs";

const CHOICE = { version: "0.28.3", packages: ["six", "beautifulsoup4"] };

describe("a prepared distribution", { timeout: 300_000 }, () => {
  let folder;
  let api;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "taipan-prepared-"));
    await prepare(folder, CHOICE);
    api = await openApiPage({ python: folder });
  });
  after(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const visit = () =>
    api.evaluate(async () => {
      const python = await start({ cache: "none" });
      const { value } = await python.run(
        "import bs4; [bs4.__spec__.cached, len(bs4.BeautifulSoup('<p>x', 'html.parser').find_all('p'))]",
      );
      python.dispose();
      return { value, inflated: python.timings.filesInflated };
    });

  it("names the bytecode of every archive in its lock file", async () => {
    const lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
    const named = Object.values(lock.taipan.bytecode).map(({ file_name }) => file_name.split("/").at(-1));
    assert.ok(named.length >= 4, "the standard library, six, beautifulsoup4, soupsieve");
    assert.deepEqual(named.sort(), (await readdir(join(folder, "bytecode"))).sort());
    assert.ok(lock.taipan.bytecode[lock.packages.six.sha256]);
  });

  it("is started without compiling", async () => {
    const { value, inflated } = await visit();
    assert.match(value[0], /__pycache__/);
    assert.equal(value[1], 1);
    assert.ok(inflated < 10, `${inflated} files were inflated`);
  });

  it("is started all the same when its bytecode is damaged or missing", async () => {
    for (const fault of [{ corrupt: true }, { status: 404 }]) {
      api.server.hooks.push({ match: /bytecode\/.*\.zip$/, ...fault });
      const { value, inflated } = await visit();
      api.server.hooks.splice(0);
      assert.equal(value[1], 1);
      assert.ok(inflated > 50, "the source was compiled");
    }
  });
});
