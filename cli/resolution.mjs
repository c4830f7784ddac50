/** Which packages meet requirements: `crate/node` decides, this finds out what it has to know. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { get, isAbsent, sha256, withoutCredentials } from "./download.mjs";
import { Problem } from "./problem.mjs";
import { rust } from "./rust.mjs";

/** What micropip asks. */
export const DEFAULT_INDEXES = ["https://pypi.org/simple"];

/** The most bytes of a page, and of metadata. */
const LIMITS = { page: 32 << 20, metadata: 8 << 20 };

const HINTS = {
  BAD_REQUIREMENT: 'Write a name, a name and versions ("pandas>=2,<3"), or the address or the path of a wheel.',
  BAD_LOCK_FILE: "`--lock-file` must be a `pyodide-lock.json`.",
  BAD_INDEX: "`--index-urls` must be roots of the Simple API (PEP 503 or 691), such as https://pypi.org/simple.",
  BAD_WHEEL: "Use another version of the package, and tell who publishes it.",
  BAD_ARCHIVE: "The file is damaged: get it again, or another version of the package.",
  RESOLUTION: "Take only one of them: such packages are often variants of one project.",
  WRONG_ABI: "Look for a wheel for that interpreter, or one for any platform (-py3-none-any.whl).",
};

/** Calls into Rust; what it throws becomes a problem. */
export function asking(call) {
  try {
    return call();
  } catch (error) {
    if (!error?.code) throw error;
    throw new Problem(error.message, HINTS[error.code], { code: error.code, cause: error });
  }
}

/** A wheel that is named by its path becomes one with an address, also behind `name @`. */
export function withAddress(requirement) {
  const [, before, path, after] = /^((?:[^@/\\]*@\s*)?)(.+?\.whl)(\s*(?:;.*)?)$/is.exec(requirement.trim()) ?? [];
  if (path === undefined || /^[a-z][a-z+.-]+:/i.test(path)) return requirement;
  return `${before}${pathToFileURL(resolve(path)).href}${after && ` ${after.trim()}`}`;
}

/** The page of a project on the first index that has one. */
async function page(name, indexes, accept) {
  for (const root of indexes) {
    const url = root.includes("{package_name}")
      ? root.replaceAll("{package_name}", name)
      : `${root.replace(/\/+$/, "")}/${name}/`;
    try {
      return await get(url, { accept, limit: LIMITS.page });
    } catch (error) {
      if (error.status !== 404 && error.status !== 410) throw unreachable(name, error);
    }
  }
  return undefined;
}

function unreachable(name, error) {
  if (!(error instanceof Problem)) return error;
  const next = `${error.next} A package that the lock file has needs no index; --index-urls "" asks none.`;
  const message = `The lock file does not do for ${name}, and an index cannot be asked: ${error.message}`;
  return new Problem(message, next, { code: error.code, cause: error });
}

/** The address of a wheel's metadata (PEP 658): before a query, if there is one. */
const metadataAddress = (url) => url.replace(/(\?.*)?$/, (query) => `.metadata${query}`);

async function besideWheel({ url, beside }) {
  const address = metadataAddress(url);
  // An index that does not keep its word still has the wheel.
  const { bytes } = await get(address, { limit: LIMITS.metadata }).catch(() => ({}));
  if (bytes && beside.sha256 && sha256(bytes) !== beside.sha256) {
    const message = `${address} is not what the index says: its SHA-256 is ${sha256(bytes)}, it should be ${beside.sha256}.`;
    throw new Problem(message, "Tell who runs the index.", { code: "INTEGRITY" });
  }
  return bytes?.toString("utf8");
}

/**
 * @param {object} options
 * @param {string} options.lockText
 * @param {string[]} options.requirements names, requirements, addresses, paths of wheels
 * @param {string[]} [options.constraints]
 * @param {string[]} [options.indexURLs]
 * @param {boolean} [options.pre] take pre-releases like all other versions
 * @param {(question: { name: string, url: string, isLocked: boolean, sha256?: string }) => Promise<Buffer>} options.wheel
 *   gets a wheel
 * @param {(what: string) => void} [options.onProgress]
 * @returns {Promise<{ named: string[], packages: { name: string, version: string, depends: string[], wheel?: { url: string,
 *   filename: string, sha256?: string, metadata?: string } }[] }>} `named`: what was asked for; `packages`: that and all it
 *   needs, by name; those without `wheel` are the lock file's
 * @throws {Problem} `PACKAGE_NOT_FOUND`, `RESOLUTION`, `BAD_REQUIREMENT`, `BAD_INDEX`, `WRONG_ABI`, and what downloads
 *   can fail with
 */
export async function resolveRequirements(options) {
  const { lockText, requirements, constraints = [], pre = false } = options;
  const indexes = (options.indexURLs ?? DEFAULT_INDEXES).map(withoutCredentials);
  const { wheel, onProgress = () => {} } = options;
  const { Installation, accept, readMetadata } = await rust();
  const asked = {
    requirements: requirements.map(withAddress),
    constraints: constraints.map(withAddress),
    indexUrls: indexes,
    allowPreReleases: pre,
  };
  const installation = asking(() => new Installation(lockText, asked));
  const texts = new Map();

  /** The answer to a question, as something to be done when all have come: their order must not matter. */
  async function find(question) {
    const { kind, name, file, url, beside } = question;
    onProgress(name);
    if (kind === "page") {
      const found = await page(name, indexes, accept());
      if (!found) return () => installation.provideNoPage(name);
      return () => installation.providePage(name, found.url, found.contentType, found.bytes);
    }
    let text = beside && (await besideWheel(question));
    if (text === undefined) {
      try {
        const bytes = await wheel(question);
        text = readMetadata(bytes);
      } catch (error) {
        const isRefused =
          error?.code === "BAD_WHEEL" || (isAbsent(error) && !requirements.some((one) => one.includes(url)));
        if (!isRefused) throw error;
        const why = isAbsent(error) ? "the index has no such file" : error.message;
        return () => installation.refuse(name, file, why);
      }
    }
    texts.set(`${name} ${file}`, text);
    return () => installation.provideMetadata(name, file, text);
  }

  for (;;) {
    const step = asking(() => installation.advance());
    if (step.kind === "failed") throw failure(step);
    if (step.kind === "done") {
      const named = asking(() => installation.named());
      return {
        named,
        packages: step.packages.map((one) => ({ ...one, metadata: texts.get(`${one.name} ${one.file}`) })),
      };
    }
    const answers = await Promise.all(step.questions.map(find));
    for (const provide of answers) asking(provide);
  }
}

function failure({ message, isUnknown, suggestions }) {
  if (suggestions.length > 0) {
    const code = isUnknown ? "PACKAGE_NOT_FOUND" : "RESOLUTION";
    return new Problem(message, `Did you mean ${suggestions.join(" or ")}?`, { code });
  }
  return isUnknown
    ? new Problem(message, "Check the spelling, and --index-urls.", { code: "PACKAGE_NOT_FOUND" })
    : new Problem(message, "Loosen one of the requirements, or name versions that go together.", {
        code: "RESOLUTION",
      });
}
