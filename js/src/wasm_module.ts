import type { Part } from "./boundary.js";
import { compile } from "./compile.js";
import { LoadError } from "./errors.js";
import init, { addPart } from "./wasm/taipan_web.js";

/** Where the wasm module and its parts are. */
export type Addresses = Record<Part | "core", URL>;

/** The script that has the addresses says them (`wasm_addresses.ts`): where this code lies is not for it to know. */
let addresses: Addresses;
let core: Promise<void> | undefined;

export function setAddresses(these: Addresses): void {
  addresses = these;
}

/**
 * Fetches, compiles and instantiates the wasm module, unless that has been done. Rejects with a `LoadError`; the next call
 * tries again.
 *
 * @param early the module, where it has been asked for before; `undefined` if it could not be had
 */
export function loadWasm(early?: Promise<WebAssembly.Module | undefined>): Promise<void> {
  const found = async () => (await early) ?? insist(() => get(addresses.core));
  core ??= init({ module_or_path: found() }).then(
    () => {},
    (error) => {
      core = undefined;
      throw error;
    },
  );
  return core;
}

const loading = new Map<Part, Promise<void>>();
const present = new Set<Part>();

/** Adds a part to the wasm module, unless that has been done. Rejects with a `LoadError`; the next call tries again. */
export function loadPart(name: Part): Promise<void> {
  if (present.has(name)) {
    return Promise.resolve();
  }
  const known = loading.get(name);
  if (known !== undefined) {
    return known;
  }
  const begun = insist(() => fetchPart(addresses[name])).then(
    () => void present.add(name),
    (error) => {
      loading.delete(name);
      throw error;
    },
  );
  loading.set(name, begun);
  return begun;
}

/** Milliseconds before what may pass is tried again, as with all other downloads. */
const PAUSES = [250, 500, 1000];
/** As `transfer::is_passing` of the core, which is not here yet. */
const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const passing = new WeakSet<Error>();

async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await attempt();
    } catch (error) {
      if (!passing.has(error as Error)) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return attempt();
}

async function fetchPart(url: URL): Promise<void> {
  const response = await get(url);
  let module: WebAssembly.Module;
  try {
    module = await compile(response);
  } catch (cause) {
    throw cause instanceof WebAssembly.CompileError ? unusable(url, cause) : unreachable(url, cause);
  }
  await loadWasm();
  try {
    addPart(module);
  } catch (cause) {
    throw unusable(url, cause);
  }
}

/** As {@link loadPart}, while everything else waits: a worker only. A part that is on its way is fetched all the same. */
export function loadPartNow(name: Part): void {
  if (present.has(name)) {
    return;
  }
  const url = addresses[name];
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  try {
    request.send();
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (request.status < 200 || request.status > 299) {
    throw refused(url, request.status);
  }
  try {
    addPart(new WebAssembly.Module(request.response));
  } catch (cause) {
    throw unusable(url, cause);
  }
  present.add(name);
}

async function get(url: URL): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (!response.ok) {
    throw refused(url, response.status);
  }
  return response;
}

function unreachable(url: URL, cause: unknown): LoadError {
  const error = new LoadError({ code: "LOAD_NETWORK", message: `${url} cannot be reached`, cause });
  passing.add(error);
  return error;
}

function refused(url: URL, status: number): LoadError {
  const error = new LoadError({
    code: "LOAD_HTTP",
    message: `${url}: the server answered ${status}`,
    hint: "Serve the package's whole dist folder, its wasm folder included.",
  });
  if (PASSING_STATUS.has(status)) {
    passing.add(error);
  }
  return error;
}

function unusable(url: URL, cause: unknown): LoadError {
  return new LoadError({
    code: "BAD_WASM",
    message: `${url} is not a part of this release`,
    hint: "Serve all files of the package from one release.",
    cause,
  });
}
