import { LoadError } from "./errors.js";
import init from "./wasm/taipan_web.js";

/** Fetches, compiles and instantiates the wasm module that stands beside this one. Rejects with a `LoadError`. */
export async function loadWasm(): Promise<void> {
  await init({ module_or_path: fetchModule() });
}

async function fetchModule(): Promise<Response> {
  const url = new URL("./wasm/taipan_web_bg.wasm", import.meta.url);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new LoadError({ code: "LOAD_NETWORK", message: `${url} cannot be reached`, cause });
  }
  if (!response.ok) {
    throw new LoadError({
      code: "LOAD_HTTP",
      message: `${url}: the server answered ${response.status}`,
      hint: "Serve the package's whole dist folder, its wasm folder included.",
    });
  }
  return response;
}
