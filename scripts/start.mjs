/**
 * Serves the lesson on localhost, after getting and building all it needs.
 *
 *   npm start                     on port 8000, or the next that is free
 *   npm start -- --port 9000      PORT=9000 does the same
 *   npm start -- --no-isolation   without COOP and COEP, as on a host that cannot send headers
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { distributionFolder, root } from "./common/paths.mjs";
import { main, Problem } from "./common/problem.mjs";
import { setUp } from "./setup.mjs";

const PORT = 8000;

function options(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { port: { type: "string" }, "no-isolation": { type: "boolean" } },
    }));
  } catch (error) {
    throw new Problem(error.message, "See the first lines of scripts/start.mjs.");
  }
  const port = Number(values.port ?? process.env.PORT ?? PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Problem(`${values.port ?? process.env.PORT} is not a port.`, "Give a number from 1 to 65535.");
  }
  return { port, isolated: !values["no-isolation"] };
}

await main(async (args) => {
  const { port, isolated } = options(args);
  await setUp("start");
  // What follows uses npm packages, so it is looked for only now.
  const { build } = await import("./build.mjs");
  const { startServer } = await import("./server.mjs");
  const { AS_RELEASED, bakeLesson, LESSON, prepareLesson } = await import("./prepare.mjs");
  await build();
  const roots = { "/": join(root, "build") };
  // Only the first is fetched for the lesson; the second is there after `npm test`.
  for (const version of ["0.28.3", "314.0.7"]) roots[`/python/${version}/`] = distributionFolder(version);
  roots[new URL(AS_RELEASED, `http://localhost/python/${LESSON.version}/`).pathname] =
    roots[`/python/${LESSON.version}/`];
  roots[`/python/${LESSON.version}/`] = await prepareLesson();
  await bakeLesson();
  const server = await startServer({ roots, isolated, port, tries: 20 });
  console.log(`\n  The lesson is at ${server.url}/\n  Ctrl+C ends it.\n`);
});
