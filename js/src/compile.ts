/**
 * Compiles the wasm module that is in an answer: the answer itself where that is possible, for the browser then has the
 * compiled code on the next visit. It is not where a server does not say `application/wasm`.
 */
export async function compile(response: Response): Promise<WebAssembly.Module> {
  return response.headers.get("Content-Type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
