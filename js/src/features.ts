import type { StoreBackend } from "./boundary.js";

/** Which road was taken where browsers differ. */
export interface Features {
  /**
   * How computing Python is interrupted. `shared`: by KeyboardInterrupt, through shared memory, variables kept.
   * `restart`: by ending the worker and starting a fresh interpreter.
   */
  interrupt: "shared" | "restart";
  /** How `input()` waits. `unsupported`: it raises OSError; the page is not cross-origin isolated. */
  input: "shared" | "unsupported";
  /** Whether the browser has JavaScript Promise Integration. */
  jspi: boolean;
  /** Whether the browser has an origin private file system. */
  opfs: boolean;
  /**
   * Whether an image for the next visit is made when nothing runs: not where the options exclude it, where the browser asks
   * to save data, or on a device with little memory.
   */
  automaticImage: boolean;
  /**
   * Where packages and bytecode are kept for the next visit: the origin private file system, the Cache API, or nowhere,
   * because the browser allows none (`memory`) or the option `cache` says so (`none`).
   */
  store: StoreBackend;
}

/** What is known before Python has started. */
export type PageFeatures = Omit<Features, "store">;

/** Finds out what this browser, on this page, can do. `automaticImage`: as far as the options go, images may be made. */
export function detectFeatures(automaticImage: boolean): PageFeatures {
  const shared = canShareMemory();
  return {
    interrupt: shared ? "shared" : "restart",
    input: shared ? "shared" : "unsupported",
    jspi: "Suspending" in WebAssembly,
    opfs: typeof globalThis.navigator?.storage?.getDirectory === "function",
    automaticImage: automaticImage && canMakeImages(),
  };
}

/**
 * Whether memory can be shared with a worker. The constructor alone says nothing: some browsers have it and refuse to
 * post what it makes.
 */
function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer !== "function" || globalThis.crossOriginIsolated !== true) {
    return false;
  }
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(new SharedArrayBuffer(4));
    return true;
  } catch {
    return false;
  } finally {
    port1.close();
    port2.close();
  }
}

/** GiB of memory (`navigator.deviceMemory`) with which a device can bear a second interpreter for some seconds. */
const ENOUGH_MEMORY = 4;

/** What only some browsers tell. */
interface Device {
  deviceMemory?: number;
  connection?: { saveData?: boolean };
}

/** Whether this device should do work that only the next visit profits from. */
function canMakeImages(): boolean {
  const { deviceMemory = ENOUGH_MEMORY, connection } = (globalThis.navigator ?? {}) as Device;
  return deviceMemory >= ENOUGH_MEMORY && connection?.saveData !== true;
}

/** The same of what only Chromium profits from, the one that tells how much memory there is. */
export function canRehearse(): boolean {
  return (globalThis.navigator as Device | undefined)?.deviceMemory !== undefined && canMakeImages();
}
