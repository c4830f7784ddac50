/** `python.install` against package indexes as they are in the world: HTML, redirects, errors, pages that are none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startIndex, wheel } from "../support/simple-index.mjs";
import { names, useIndex } from "./support/installer.mjs";

describe("indexes as they are in the world, on 0.28.3", { timeout: 300_000 }, () => {
  const world = useIndex();
  const { install, installFails, nothingHappened, offer, options } = world;

  it("pages in HTML do as well", async () => {
    const html = await startIndex(
      [
        wheel("in_html", "1.0", { requires: ["also_in_html"] }),
        { ...wheel("also_in_html", "2.0"), offersMetadata: true },
      ],
      { html: true },
    );
    const installed = await install("in_html", { indexURLs: [`${html.root}/`] });
    await html.close();
    assert.deepEqual(names(installed), ["also-in-html 2.0", "in-html 1.0"]);
    assert.ok(html.log.some(({ path }) => path.endsWith("also_in_html-2.0-py3-none-any.whl.metadata")));
  });

  it("a project that the first index does not have is found at the next, and the first that has it counts", async () => {
    offer(wheel("here", "1.0"));
    const second = await startIndex([wheel("here", "9.0"), wheel("there", "1.0")]);
    const installed = await install(["here", "there"], { indexURLs: [world.index.root, second.root] });
    await second.close();
    assert.deepEqual(names(installed), ["here 1.0", "there 1.0"]);
    assert.ok(!second.log.some(({ path }) => path === "/simple/here/"), "a later index cannot take a name over");
  });

  it("a redirect to another origin is followed, and addresses are relative to where it led", async () => {
    const other = await startIndex([wheel("moved", "1.0")]);
    world.index.pages["/simple/moved/"] = (_, response) =>
      response.writeHead(302, { Location: `${other.root}/moved/` }).end();
    const [{ source }] = await install("moved", options());
    assert.ok(source.startsWith(`${other.url}/files/`), source);
    await other.close();
  });

  it("a redirect to an origin that does not allow it is an error that says what to check", async () => {
    const other = await startIndex([wheel("walled", "1.0")], { cors: false });
    world.index.pages["/simple/walled/"] = (_, response) =>
      response.writeHead(302, { Location: `${other.root}/walled/` }).end();
    const error = await installFails("walled", options());
    await other.close();
    assert.equal(error.code, "LOAD_NETWORK");
    assert.match(error.hint, /CORS/);
    await nothingHappened("walled");
  });

  const PAGES = [
    [
      "a web page of some site",
      "text/html",
      "<!doctype html><title>App</title><div id=root></div>",
      /it is a web page/,
    ],
    [
      "JSON of something else",
      "application/vnd.pypi.simple.v1+json",
      '{"message": "hello"}',
      /not the JSON of a project/,
    ],
    ["JSON cut short", "application/vnd.pypi.simple.v1+json", '{"meta": {"api-ver', /not the JSON of a project/],
    [
      "another project",
      "application/vnd.pypi.simple.v1+json",
      '{"meta": {"api-version": "1.0"}, "name": "evil", "files": []}',
      /the page of "evil"/,
    ],
    [
      "a newer protocol",
      "application/vnd.pypi.simple.v2+json",
      '{"meta": {"api-version": "2.0"}, "name": "odd", "files": []}',
      /version "2\.0"/,
    ],
    ["a picture", "image/png", "\x89PNG", /image\/png/],
  ];
  for (const [what, type, body, message] of PAGES) {
    it(`an index that answers with ${what} is none`, async () => {
      world.index.pages["/simple/odd/"] = (_, response) =>
        response.writeHead(200, { "Content-Type": type, "Access-Control-Allow-Origin": "*" }).end(body);
      const error = await installFails("odd", options());
      assert.deepEqual([error.name, error.code], ["LoadError", "BAD_INDEX"]);
      assert.match(error.message, message);
      await nothingHappened("odd");
    });
  }

  it("an index page without end is cut off", async () => {
    let sent = 0;
    world.index.pages["/simple/endless/"] = (_, response) => {
      response.writeHead(200, { "Content-Type": "text/html", "Access-Control-Allow-Origin": "*" });
      const more = () => {
        while (!response.destroyed && sent < 200e6) {
          sent += 1 << 20;
          if (!response.write(Buffer.alloc(1 << 20, " "))) return;
        }
        response.end();
      };
      response.on("drain", more);
      more();
    };
    const error = await installFails("endless", options());
    assert.equal(error.code, "BAD_INDEX");
    assert.match(error.message, /more than \d+ bytes/);
    assert.ok(sent < 120e6, `${sent} bytes were sent`);
    await nothingHappened("endless");
  });

  it("an index that is busy for a moment is asked again; one that fails is an error and not a project less", async () => {
    offer(wheel("patient", "1.0"));
    let failures = 0;
    const busy = (times) => (_, response) => {
      failures += 1;
      if (failures >= times) delete world.index.pages["/simple/patient/"];
      response.writeHead(503, { "Access-Control-Allow-Origin": "*" }).end();
    };
    world.index.pages["/simple/patient/"] = busy(2);
    assert.deepEqual(names(await install("patient", options())), ["patient 1.0"]);
    world.index.pages["/simple/broken/"] = (_, response) =>
      response.writeHead(500, { "Access-Control-Allow-Origin": "*" }).end();
    assert.equal((await installFails("broken", options())).code, "LOAD_HTTP");
  });
});
