import type { Addresses } from "./wasm_module.js";

/** Where the wasm module and its parts are: each address written out, for bundlers. */
export const ADDRESSES: Addresses = {
  core: new URL("./wasm/taipan_web_bg.wasm", import.meta.url),
  checkpoint: new URL("./wasm/taipan_web_checkpoint.wasm", import.meta.url),
  image: new URL("./wasm/taipan_web_image.wasm", import.meta.url),
  resolver: new URL("./wasm/taipan_web_resolver.wasm", import.meta.url),
};
