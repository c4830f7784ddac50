/**
 * Runs all tests, after getting and building all they need.
 *
 *   npm test                          everything
 *   npm test -- browser               one part: scripts, core, wasm, unit, differential, browser or packaging
 *   npm test -- browser failures      of it, the files whose names contain "failures"
 */
import { run } from "./common/command.mjs";
import { root } from "./common/paths.mjs";
import { explain, main, Problem } from "./common/problem.mjs";
import { duration } from "./common/step.mjs";
import { setUp } from "./setup.mjs";
import { tally } from "./test/tally.mjs";

/** Runs a part; a part that ends badly without naming a test counts as one failure. */
async function runPart(part, filters, environment) {
  const command = await part.command(filters);
  if (!command) {
    if (part.optional || filters.length > 0) return { passed: 0, failed: 0, note: "nothing to run" };
    return { passed: 0, failed: 1, note: "no test files were found" };
  }
  const [program, ...args] = command;
  const env = { ...environment, ...(await part.env?.()) };
  const options = { cwd: root, env, show: true, mayFail: true, log: `test-${part.name}`, timeout: part.timeout };
  const { code, reason, stdout, stderr } = await run(program, args, options);
  const counts = tally(`${stdout}\n${stderr}`);
  if (code !== 0 && counts.failed === 0) return { ...counts, failed: 1, note: reason };
  if (code === 0 && counts.passed === 0 && filters.length === 0) return { ...counts, failed: 1, note: "ran no test" };
  return counts;
}

/** A part whose build fails has failed; the other parts still run. */
async function buildAndRun(part, filters, environment, build) {
  try {
    if (part.builds.length > 0) await build(part.builds);
    return await runPart(part, filters, environment);
  } catch (error) {
    explain(error);
    return { passed: 0, failed: 1, note: "could not be built or run" };
  }
}

await main(async (args) => {
  await setUp("test");
  const { build } = await import("./build.mjs");
  const { parts, testEnvironment } = await import("./test/parts.mjs");
  const names = parts.map(({ name }) => name);
  const chosen = args.filter((arg) => names.includes(arg));
  const filters = args.filter((arg) => !names.includes(arg));
  if (filters.length > 0 && chosen.length === 0) {
    throw new Problem(`There is no part called ${filters[0]}.`, `Choose from ${names.join(", ")}.`);
  }
  const environment = await testEnvironment();
  const rows = [];
  for (const part of parts.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
    console.log(`\n── ${part.name}: ${part.what}`);
    const start = performance.now();
    const result = await buildAndRun(part, filters, environment, build);
    rows.push({ name: part.name, ...result, time: duration(performance.now() - start) });
  }
  console.log("\n── Summary");
  for (const { name, passed, failed, note, time } of rows) {
    const counts = `${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed`;
    console.log(`${failed > 0 ? "✗" : "✓"} ${name.padEnd(13)} ${counts}  ${time}${note ? `  (${note})` : ""}`);
  }
  const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
  console.log(`${total("passed")} passed, ${total("failed")} failed`);
  return total("failed") > 0 ? 1 : 0;
});
