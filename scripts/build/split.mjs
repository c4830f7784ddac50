/**
 * Takes a WebAssembly module apart, in its text format: into what every page needs, and parts that are fetched when they are
 * first needed.
 *
 * The parts share the main module's memory, tables and functions; nothing is in two of them. A function belongs to a part
 * if it can be reached through the part's entries only. What calls an entry from outside does so through a table that the
 * part fills in when it is instantiated: a call before that traps.
 */

/** What the parts import the main module's things from. */
export const MAIN = "main";

/** A name, and a name of which only the contents are wanted. */
const NAME = String.raw`\$(?:"(?:[^"\\]|\\.)*"|[^\s()]+)`;
const REFERENCE = new RegExp(String.raw`\((?:call|return_call|ref\.func) (${NAME})`, "g");
const SIGNATURE = new RegExp(String.raw`^ \(func ${NAME}((?: \(param ${NAME} \w+\))*)((?: \(result[^)]*\))?)`);

/** The fields of a module, each with what it is and its name. */
function fieldsOf(text) {
  return text
    .slice(text.indexOf("\n") + 1, text.lastIndexOf(")"))
    .split(/\n(?= \()/)
    .map((source) => {
      const [, kind, name] = new RegExp(String.raw`^ \((\w+)(?: (${NAME}))?`).exec(source);
      return { kind, name, source };
    });
}

/**
 * Functions of fewer lines, and those that drop values, may stand for others too: the compiler makes one of functions with
 * the same instructions, with the name of any of them. Where a pointer to one is, its name tells nothing.
 */
const SHARED_LINES = 60;
/** The same of functions that are called by name. */
const GETTER_LINES = 16;

const all = (text, pattern) => Array.from(text.matchAll(pattern), ([, found]) => found);

/** What each function refers to, which functions can be called from anywhere, and which may stand for others. */
function graphOf(fields, sharedLines) {
  const calls = new Map();
  const shared = new Set();
  const getters = new Set();
  for (const { kind, name, source } of fields) {
    if (kind !== "func") continue;
    calls.set(name, new Set(all(source, REFERENCE)));
    if (name.includes("drop_in_place") || source.split("\n").length < sharedLines) shared.add(name);
    if (source.split("\n").length < Math.min(sharedLines, GETTER_LINES)) getters.add(name);
  }
  const of = (wanted, pattern) =>
    fields.filter(({ kind }) => kind === wanted).flatMap(({ source }) => all(source, pattern));
  const isDefined = (name) => calls.has(name);
  const table = new Set(of("elem", new RegExp(`(${NAME})`, "g")).filter(isDefined));
  const exported = of("export", new RegExp(String.raw`\(func (${NAME})`, "g")).filter(isDefined);
  return { calls, table, shared, getters, open: new Set([...table, ...exported]) };
}

/** What can be reached from some functions without passing others. */
function reach(calls, from, without) {
  const reached = new Set();
  const waiting = [...from];
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (reached.has(name) || without.has(name) || !calls.has(name)) continue;
    reached.add(name);
    waiting.push(...calls.get(name));
  }
  return reached;
}

/** The part that each function belongs to, as far as it is in one. */
function ownersOf({ calls, table, shared: common, getters, open }, parts) {
  const entries = new Map();
  for (const [part, { entry, own }] of Object.entries(parts)) {
    for (const name of calls.keys()) {
      const isBelievable = !getters.has(name) && !(table.has(name) && common.has(name));
      if (isBelievable && (entry.test(name) || (table.has(name) && own.test(name)))) entries.set(name, part);
    }
  }
  const main = reach(calls, open, entries);
  const reached = Object.keys(parts).map((part) => {
    const own = [...entries].filter(([, of]) => of === part).map(([name]) => name);
    const others = new Set([...entries].filter(([, of]) => of !== part).map(([name]) => name));
    return [part, reach(calls, own, new Set([...main, ...others]))];
  });
  const owners = new Map();
  for (const [part, names] of reached) {
    // What two parts need is the main module's.
    for (const name of names) owners.set(name, owners.has(name) ? undefined : part);
  }
  const shared = [...owners].filter(([, part]) => part === undefined).map(([name]) => name);
  for (const name of [...shared, ...reach(calls, shared, entries)]) owners.delete(name);
  return owners;
}

/**
 * @param {string} text a module in WebAssembly's text format, as binaryen writes it, with the names of its functions
 * @param {Record<string, { entry: RegExp, own: RegExp }>} parts `entry`: functions that are called only when the part is
 *   there. `own`: what the names contain of functions that are called only through pointers which the part has made
 * @param {number} [sharedLines] below how many lines a function's name is not believed
 * @returns {{ main: string, parts: Record<string, string> }} modules that still have to be optimised
 */
export function split(text, parts, sharedLines = SHARED_LINES) {
  const fields = fieldsOf(text);
  const graph = graphOf(fields, sharedLines);
  const owners = ownersOf(graph, parts);
  const entered = new Set([...graph.open].filter((name) => owners.has(name)));
  const wanted = new Map();
  const want = (item) => wanted.get(item) ?? wanted.set(item, `_${wanted.size.toString(36)}`).get(item);
  for (const [name, callees] of graph.calls) {
    for (const callee of callees) {
      if (!graph.calls.has(callee) || owners.get(callee) === owners.get(name)) continue;
      if (owners.has(callee)) entered.add(callee);
      if (owners.has(name)) want(`func ${callee}`);
    }
  }
  const slots = new Map([...entered].map((name, slot) => [name, slot]));
  for (const { kind, name } of fields) if (["table", "memory", "global"].includes(kind)) want(`${kind} ${name}`);
  const entriesName = want("table $entries");
  const fieldsOfMain = fields
    .filter(({ kind, name }) => !(kind === "func" && owners.has(name) && !slots.has(name)))
    .map((field) =>
      owners.has(field.name) && field.kind === "func" ? stub(field, slots.get(field.name)) : field.source,
    );
  const exports = [...wanted].map(([item, short]) => ` (export "${short}" (${item}))`);
  const main = [...fieldsOfMain, ` (table $entries ${slots.size} ${slots.size} funcref)`, ...exports];
  const made = Object.keys(parts).map((part) => {
    const entries = [...slots].filter(([name]) => owners.get(name) === part);
    const body = fields.flatMap((field) => inPart(field, part, owners, wanted));
    const into = ` (import "${MAIN}" "${entriesName}" (table $entries ${slots.size} funcref))`;
    const elements = entries.map(([name, slot]) => ` (elem (table $entries) (i32.const ${slot}) func ${name})`);
    return [part, module([...body.filter(isImport), into, ...body.filter((field) => !isImport(field)), ...elements])];
  });
  return { main: module(main), parts: Object.fromEntries(made) };
}

const module = (fields) => `(module\n${fields.join("\n")}\n)\n`;
const isImport = (field) => /^ \((?:type|rec|import) /.test(field);

/** A function that calls another through the table of entries. */
function stub({ name, source }, slot) {
  const [, parameters, results] = SIGNATURE.exec(source);
  const values = all(parameters, new RegExp(String.raw`\(param (${NAME})`, "g")).map((local) => `(local.get ${local})`);
  const type = parameters.replace(new RegExp(`${NAME} `, "g"), "") + results;
  return ` (func ${name}${parameters}${results}
  (call_indirect $entries${type} ${values.join(" ")} (i32.const ${slot})))`;
}

/** What a field of the whole module is in a part: the same, an import of it, or nothing. */
function inPart({ kind, name, source }, part, owners, wanted) {
  const short = wanted.get(`${kind} ${name}`);
  const imported = (description) => [` (import "${MAIN}" "${short}" ${description})`];
  switch (kind) {
    case "type":
    case "rec":
    case "import":
      return [source];
    case "func": {
      if (owners.get(name) === part) return [source];
      if (short === undefined) return [];
      const [, parameters, results] = SIGNATURE.exec(source);
      return imported(`(func ${name}${parameters}${results})`);
    }
    case "global":
      return imported(source.replace(/ \(i32.const .*/, ")").trim());
    // The main module's may have grown: what counts is that it is no smaller.
    case "table":
      return imported(source.trim().replace(/ \d+ \d+ funcref/, " 0 funcref"));
    case "memory":
      return imported(source.trim());
    default:
      return [];
  }
}
