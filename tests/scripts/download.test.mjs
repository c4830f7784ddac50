/** Downloads of the command line: go on where they broke off, and are compared with what was promised. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { download } from "../../cli/download.mjs";
import { sha256 } from "../support/simple-index.mjs";

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-downloads-"));
});
after(() => rm(folder, { recursive: true, force: true }));

describe("downloads", { timeout: 60_000 }, () => {
  const data = Buffer.alloc(300_000, (index) => index).map((_, index) => (index * 7919) % 251);
  let server;
  let log;
  let answer;
  before(async () => {
    server = createServer((request, response) => {
      log.push(request.headers.range);
      answer(request, response);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    log = [];
  });
  const at = (path) => `http://127.0.0.1:${server.address().port}/${path}`;

  /** Sends the rest that is asked for; `cut` says after how many bytes it breaks off. */
  const rest = (request, response, { cut, ranges = true } = {}) => {
    const start = ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    const range = { "Content-Range": `bytes ${start}-${data.length - 1}/${data.length}` };
    const part = data.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { "Content-Length": part.length, ...(start > 0 && range) });
    if (cut === undefined) return response.end(part);
    response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
  };
  const get = (name, more = {}) =>
    download(at(name), { to: join(folder, "kept", name), sha256: sha256(data), ...more });

  it("go on where they broke off, as long as something comes", async () => {
    answer = (request, response) => rest(request, response, { cut: log.length < 7 ? 40_000 : undefined });
    const progress = [];
    assert.ok((await get("cut", { onProgress: (...one) => progress.push(one) })).equals(data));
    assert.equal(log.length, 7);
    assert.equal(log[1], "bytes=40000-");
    assert.deepEqual(progress.at(-1), [data.length, data.length]);
    assert.ok(progress.every(([loaded], index) => index === 0 || loaded >= progress[index - 1][0]));
    assert.ok((await get("cut")).equals(data));
    assert.equal(log.length, 7, "what is there is not asked for");
  });

  it("go on where the last run was stopped, and begin anew where that was something else", async () => {
    answer = rest;
    await mkdir(join(folder, "kept"), { recursive: true });
    for (const [name, left, asked] of [
      ["stopped", data.subarray(0, 1234), ["bytes=1234-"]],
      ["replaced", Buffer.alloc(1000, 1), ["bytes=1000-", undefined]],
    ]) {
      log = [];
      await writeFile(join(folder, "kept", `${name}.partial`), left);
      assert.ok((await get(name)).equals(data));
      assert.deepEqual(log, asked);
    }
    answer = (request, response) => rest(request, response, { ranges: false });
    await writeFile(join(folder, "kept", "no-ranges.partial"), data.subarray(0, 99));
    assert.ok((await get("no-ranges")).equals(data));
  });

  it("are given up where a server begins anew each time and breaks off no later than before", async () => {
    answer = (request, response) =>
      rest(request, response, { ranges: false, cut: [30_000, 20_000, 40_000][log.length - 1] ?? 40_000 });
    const failing = get("breaks-off");
    const ended = await Promise.race([
      failing.then(
        () => "had",
        ({ code }) => code,
      ),
      new Promise((resolve) => setTimeout(resolve, 20_000, "goes on")),
    ]);
    // 30,000 bytes, 20,000, 40,000, and three times no more than that.
    assert.deepEqual([ended, log.length], ["LOAD_NETWORK", 6]);
  });

  it("are asked for again where a server is busy, and not where it has no such file", async () => {
    answer = (request, response) => {
      if (log.length > 2) return rest(request, response);
      response.writeHead(log.length === 1 ? 503 : 429, { "Retry-After": "0" });
      response.end();
    };
    assert.ok((await get("busy")).equals(data));
    assert.equal(log.length, 3);
    answer = (_, response) => response.writeHead(404).end();
    log = [];
    await assert.rejects(get("absent"), { name: "Problem", code: "LOAD_HTTP", status: 404 });
    assert.equal(log.length, 1);
  });

  it("with other bytes are refused, and nothing of them stays", async () => {
    answer = (_, response) => response.end("something else");
    await assert.rejects(get("wrong"), { name: "Problem", code: "INTEGRITY" });
    assert.deepEqual(
      (await readdir(join(folder, "kept"))).filter((name) => name.startsWith("wrong")),
      [],
    );
  });

  it("send a password to the server that it is for, and name it nowhere", async () => {
    let seen;
    answer = (request, response) => {
      seen = request.headers.authorization;
      response.writeHead(seen ? 200 : 404).end("x");
    };
    const address = at("secret").replace("//", "//me:pass%20word@");
    const to = join(folder, "kept", "secret");
    await download(address, { to });
    assert.equal(seen, `Basic ${Buffer.from("me:pass word").toString("base64")}`);
    await assert.rejects(
      download(address, { to, sha256: "0".repeat(64) }),
      ({ message, code }) => code === "INTEGRITY" && !/pass/.test(message),
    );
  });

  it("end with a problem where nobody answers", async () => {
    const address = "http://127.0.0.1:1/x";
    await assert.rejects(download(address, { to: join(folder, "kept", "x") }), { code: "LOAD_NETWORK" });
  });
});
