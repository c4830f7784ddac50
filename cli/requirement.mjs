/** Requirements as far as a lock file can satisfy them: a name and version specifiers (PEP 508, PEP 440). */
import { Problem } from "./problem.mjs";

const REQUIREMENT = /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(?:\(([^)]*)\)|([^;@]*))(.*)$/s;
const SPECIFIER = /^(===|~=|==|!=|<=|>=|<|>)\s*(\S+)$/;
const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

/** A package's name in the one spelling that all spellings of it have (PEP 503). */
export const normalized = (name) => name.toLowerCase().replace(/[-_.]+/g, "-");

/**
 * @param {string} text such as `pandas>=2,<3`
 * @returns {{ name: string, allows: (version: string) => boolean }}
 */
export function parseRequirement(text) {
  const [, name, extras, inBrackets, plain, rest] = REQUIREMENT.exec(text) ?? [];
  if (!name) throw new Problem(`"${text}" is no requirement.`, 'Write a name, or a name and versions: "pandas>=2,<3".');
  if (extras || rest.trim() !== "") {
    throw new Problem(
      `"${text}" asks for more than a lock file can tell: extras, markers and addresses are not looked up.`,
      "Name the packages themselves.",
    );
  }
  const specifiers = (inBrackets ?? plain)
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const [, operator, version] = SPECIFIER.exec(part) ?? [];
      const prefix = version?.endsWith(".*") ? version.slice(0, -2) : undefined;
      const isKnown = operator === "===" || (version && parseVersion(prefix ?? version));
      if (!isKnown || (prefix && !["==", "!="].includes(operator))) {
        throw new Problem(`"${part}" in "${text}" is no version specifier.`, "See PEP 440 for how they are written.");
      }
      return { operator, version, prefix };
    });
  return { name: normalized(name), allows: (version) => specifiers.every((one) => satisfies(version, one)) };
}

function parseVersion(text) {
  const match = VERSION.exec(text.trim().toLowerCase());
  if (!match) return undefined;
  const [, epoch, release, pre, preNumber, implicitPost, post, postNumber, dev, devNumber, local] = match;
  return {
    epoch: Number(epoch ?? 0),
    release: release.split(".").map(Number),
    // What comes before a release is smaller than nothing, what comes after it larger.
    pre: pre ? ["a", "b", "c"].indexOf({ alpha: "a", beta: "b" }[pre] ?? (pre.length > 1 ? "c" : pre)) : undefined,
    preNumber: Number(preNumber || 0),
    post: implicitPost !== undefined || post ? Number(implicitPost ?? (postNumber || 0)) : undefined,
    dev: dev ? Number(devNumber || 0) : undefined,
    local: local?.split(/[-_.]/),
  };
}

/** Numbers that order versions as PEP 440 says, local parts left out. */
function sortKey({ epoch, release, pre, preNumber, post, dev }) {
  const trimmed = [...release];
  while (trimmed.length > 1 && trimmed.at(-1) === 0) trimmed.pop();
  const isDevelopmentOnly = pre === undefined && post === undefined && dev !== undefined;
  return [
    [epoch],
    trimmed,
    [isDevelopmentOnly ? -1 : (pre ?? Number.POSITIVE_INFINITY), preNumber],
    [post ?? -1],
    [dev ?? Number.POSITIVE_INFINITY],
  ];
}

function compare(left, right) {
  const [a, b] = [sortKey(left), sortKey(right)];
  for (let part = 0; part < a.length; part += 1) {
    for (let index = 0; index < Math.max(a[part].length, b[part].length); index += 1) {
      const difference = (a[part][index] ?? 0) - (b[part][index] ?? 0);
      if (difference !== 0 && !Number.isNaN(difference)) return Math.sign(difference);
    }
  }
  return 0;
}

const startsWith = (release, prefix) => prefix.every((number, index) => (release[index] ?? 0) === number);

function satisfies(text, { operator, version, prefix }) {
  if (operator === "===") return text === version;
  const actual = parseVersion(text);
  if (!actual) return false;
  if (prefix !== undefined) {
    const wanted = parseVersion(prefix);
    const matches = wanted.epoch === actual.epoch && startsWith(actual.release, wanted.release);
    return matches === (operator === "==");
  }
  const wanted = parseVersion(version);
  const order = compare(actual, wanted);
  const isSame = order === 0 && (!wanted.local || wanted.local.join() === actual.local?.join());
  switch (operator) {
    case "==":
      return isSame;
    case "!=":
      return !isSame;
    case "<=":
      return order <= 0;
    case ">=":
      return order >= 0;
    // Neither goes to what comes right before or after the version itself, unless it is named.
    case "<":
      return order < 0 && (wanted.pre !== undefined || actual.pre === undefined || !isSameRelease(actual, wanted));
    case ">":
      return order > 0 && (wanted.post !== undefined || actual.post === undefined || !isSameRelease(actual, wanted));
    default:
      return order >= 0 && startsWith(actual.release, wanted.release.slice(0, -1));
  }
}

const isSameRelease = (a, b) =>
  startsWith(a.release, b.release) && startsWith(b.release, a.release) && a.epoch === b.epoch;
