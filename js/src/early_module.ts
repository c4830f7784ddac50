import type { BootOptions } from "./boundary.js";

/** CPython's module, and what tells the answer in which it came from others. */
export interface EarlyModule {
  module: WebAssembly.Module;
  answer: string | undefined;
}

/**
 * CPython's module, compiled by the page's own thread while its worker starts, which has enough to do: if an earlier visit
 * has noted what it is. `undefined` if it is not to be had in this way; then the worker gets it, and says what is wrong.
 */
export async function compileEarly(
  { indexURL, known }: BootOptions,
  signal: AbortSignal | undefined,
): Promise<EarlyModule | undefined> {
  if (known === undefined) {
    return undefined;
  }
  const url = `${indexURL}pyodide.asm.wasm`;
  const init = { signal: signal ?? null };
  try {
    if (known.answer !== undefined) {
      const response = await fetch(url, init);
      if (answerOf(response) === known.answer) {
        return { module: await WebAssembly.compileStreaming(response), answer: known.answer };
      }
      await response.body?.cancel();
    }
    // It comes as a whole, when the browser has compared it; the answer that has been compared is compiled while it comes.
    const response = await fetch(url, { ...init, integrity: integrityOf(known.module) });
    const module = await WebAssembly.compileStreaming(response);
    return { module, answer: known.answer === undefined ? undefined : answerOf(response) };
  } catch {
    return undefined;
  }
}

/**
 * What tells an answer from others, `undefined` where too little can be seen of it: the HTTP cache gives the same one again,
 * with its date, and a server that gives its entity tag means the same bytes (RFC 9110, 8.8.3).
 */
function answerOf({ headers }: Response): string | undefined {
  const [date, tag, ...others] = ["Date", "ETag", "Last-Modified", "Content-Length"].map((name) => headers.get(name));
  return date === null || tag === null ? undefined : [date, tag, ...others].join("\n");
}

/** A SHA-256 in hexadecimal as the option `integrity` wants it. */
function integrityOf(sha256: string): string {
  const bytes = (sha256.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
