/** Runs programs against stock Pyodide or against taipan/pyodide, in the page or in a worker, and tells what they said. */

/** A value as it is compared: plain data, with what JSON cannot say written out. */
function plain(value) {
  if (value === undefined) return "undefined";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Map) return { map: [...value].map(plain) };
  if (value instanceof Set) return { set: [...value].map(plain) };
  if (ArrayBuffer.isView(value)) return { [value.constructor.name]: Array.from(value, plain) };
  if (value instanceof ArrayBuffer) return { ArrayBuffer: [...new Uint8Array(value)] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
  }
  return value;
}

/** What an error says. Tracebacks lead through files of the caller's, so of those only the last line counts. */
function describe(error) {
  const { name, message, type } = error ?? {};
  const last = String(message ?? error)
    .trimEnd()
    .split("\n")
    .at(-1);
  return { name, type, message: last.replace(/\/tmp\/tmp\w+/, "a temporary file") };
}

export async function runPrograms(loader, names) {
  const { loadPyodide } = await import(loader === "stock" ? "/python/pyodide.mjs" : "/taipan/pyodide.js");
  let said = [];
  const say = (...values) => void said.push(values.length === 1 ? plain(values[0]) : values.map(plain));
  const boot = (options) => loadPyodide({ indexURL: "/python/", ...options });
  const fails = async (what) => {
    try {
      say("it did not fail", await what());
    } catch (error) {
      say(describe(error));
    }
  };
  let shared;
  const outcomes = {};
  for (const name of names) {
    said = [];
    // Those in TypeScript import Pyodide themselves: they are there once for each.
    const where = name.replace(/^typescript\//, `typescript/${loader}/`);
    const { default: program, main, alone = main !== undefined } = await import(`./${where}.js`);
    try {
      if (!alone)
        shared ??= await boot({ stdout: (line) => say(`out: ${line}`), stderr: (line) => say(`err: ${line}`) });
      await main?.(`${location.origin}/python/`, say);
      await program?.({
        pyodide: alone ? undefined : shared,
        boot,
        say,
        fails,
        where: globalThis.document ? "page" : "worker",
      });
      outcomes[name] = { said };
    } catch (error) {
      outcomes[name] = { said, error: `${describe(error).message}\n${error?.stack ?? ""}` };
    }
  }
  return outcomes;
}
