import type { KnownFile, KnownFiles } from "./boundary.js";

/** Where the notes are: `localStorage`, which a page reads at once, before it does anything else. */
const PREFIX = "taipan ";

const keyOf = (indexURL: string) => `${PREFIX}${indexURL}`;

/**
 * What an earlier visit has found the files of a distribution to be, where the HTTP cache gives them again. It may be out of
 * date, and is a hint: files of another hash are asked for again.
 */
export function recallFiles(indexURL: string): KnownFiles | undefined {
  try {
    const { glue, module } = JSON.parse(localStorage.getItem(keyOf(indexURL)) ?? "{}") as Partial<KnownFiles>;
    return isFile(glue) && isFile(module) ? { glue, module } : undefined;
  } catch {
    // Nothing can be kept in this browser, or it is not what has been written.
    return undefined;
  }
}

/** Notes it for the next visit, where anything can be noted. */
export function noteFiles(indexURL: string, known: KnownFiles): void {
  try {
    if (known.module.answer === undefined) {
      localStorage.removeItem(keyOf(indexURL));
    } else {
      localStorage.setItem(keyOf(indexURL), JSON.stringify(known));
    }
  } catch {
    // The next visit starts as this one did.
  }
}

/** Forgets all notes of this origin. */
export function forgetFiles(): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) {
        localStorage.removeItem(key);
      }
    }
  } catch {
    // There are none.
  }
}

function isFile(file: Partial<KnownFile> | undefined): file is KnownFile {
  return /^[\w.]+$/.test(`${file?.name}`) && /^[0-9a-f]{64}$/.test(`${file?.sha256}`);
}
