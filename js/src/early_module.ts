import type { KnownFiles } from "./boundary.js";

/** CPython's module, and what tells the answer in which it came from others. */
export interface EarlyModule {
  module: WebAssembly.Module;
  answer: string;
}

/**
 * CPython's module, compiled by the page's own thread while its worker starts, which has enough to do. An earlier visit has
 * noted what it is, and that the HTTP cache gives it again. `undefined` if it is not to be had in this way; then the worker
 * gets it, and says what is wrong.
 */
export async function compileEarly(
  indexURL: string,
  known: Required<KnownFiles>,
  signal: AbortSignal | undefined,
): Promise<EarlyModule | undefined> {
  const url = `${indexURL}pyodide.asm.wasm`;
  const init = { signal: signal ?? null };
  try {
    if (known.answer) {
      const response = await fetch(url, init);
      if (answerOf(response) === known.answer) {
        return { module: await WebAssembly.compileStreaming(response), answer: known.answer };
      }
      await response.body?.cancel();
    }
    // It comes as a whole, when the browser has compared it; an answer that has been compared is compiled while it comes.
    const response = await fetch(url, { ...init, integrity: integrityOf(known.module) });
    return { module: await WebAssembly.compileStreaming(response), answer: answerOf(response) };
  } catch {
    return undefined;
  }
}

/**
 * What tells an answer from others, an empty text where too little can be seen of it: the HTTP cache gives the same one again,
 * with its date, and a server that gives its entity tag means the same bytes (RFC 9110, 8.8.3).
 */
function answerOf({ headers }: Response): string {
  const values = ["Date", "ETag", "Last-Modified", "Content-Length"].map((name) => headers.get(name) ?? "");
  return values[0] !== "" && values[1] !== "" ? values.join("\n") : "";
}

/** A SHA-256 in hexadecimal as the option `integrity` wants it. */
function integrityOf(sha256: string): string {
  const bytes = (sha256.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
