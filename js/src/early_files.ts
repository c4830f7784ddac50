import type { KnownFile, KnownFiles } from "./boundary.js";

/** CPython's module, and what tells the answer in which it came from others. */
export interface EarlyModule {
  module: WebAssembly.Module;
  answer: string;
}

/**
 * What the page's own thread does while its worker starts, which has enough to do. An earlier visit has noted what the
 * files are, and that the HTTP cache gives them again.
 */
export class EarlyFiles {
  /**
   * CPython's module, compiled. `undefined` if it is not to be had in this way; then the worker gets it, and says what is
   * wrong.
   */
  readonly module: Promise<EarlyModule | undefined>;
  /** The address of the glue, if it is seen to be the one that is noted: whoever imports it gets that. */
  readonly glue: Promise<string | undefined>;

  constructor(indexURL: string, { glue, module }: KnownFiles, signal: AbortSignal | undefined) {
    const init = { signal: signal ?? null };
    this.glue = find(`${indexURL}${glue.name}`, glue, init);
    this.module = compile(`${indexURL}${module.name}`, module, init);
  }
}

async function compile(url: string, file: KnownFile, init: RequestInit): Promise<EarlyModule | undefined> {
  try {
    const same = await askAgain(url, file, init);
    if (same !== undefined) {
      return { module: await WebAssembly.compileStreaming(same), answer: answerOf(same) };
    }
    // It comes as a whole, when the browser has compared it; an answer that has been compared is compiled while it comes.
    const response = await fetch(url, { ...init, integrity: integrityOf(file.sha256) });
    return { module: await WebAssembly.compileStreaming(response), answer: answerOf(response) };
  } catch {
    return undefined;
  }
}

async function find(url: string, file: KnownFile, init: RequestInit): Promise<string | undefined> {
  try {
    const same = await askAgain(url, file, init);
    await same?.body?.cancel();
    return same && url;
  } catch {
    return undefined;
  }
}

/** The answer in which a file came when its hash was taken; `undefined` if another comes now. */
async function askAgain(url: string, { answer }: KnownFile, init: RequestInit): Promise<Response | undefined> {
  if (!answer) {
    return undefined;
  }
  const response = await fetch(url, init);
  if (answerOf(response) === answer) {
    return response;
  }
  await response.body?.cancel();
  return undefined;
}

/**
 * What tells an answer from others, an empty text where too little can be seen of it: the HTTP cache gives the same one again,
 * with its date, and a server that gives its entity tag means the same bytes (RFC 9110, 8.8.3). What is compared with it was
 * noted by `answer_of` in `fetch/request.rs`.
 */
function answerOf({ headers }: Response): string {
  const values = ["Date", "ETag", "Last-Modified", "Content-Length"].map((name) => headers.get(name) ?? "");
  return values[0] !== "" && values[1] !== "" ? values.join("\n") : "";
}

/** A SHA-256 in hexadecimal as the option `integrity` wants it; `fetch/integrity.rs` does the same in the worker. */
function integrityOf(sha256: string): string {
  const bytes = (sha256.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
