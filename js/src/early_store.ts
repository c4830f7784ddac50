import type { EarlyStore } from "./boundary.js";

/**
 * Looks into the store while the wasm module, which keeps it (`crate/web/src/store`), is on its way: each step waits for an
 * answer of the browser's. `undefined` if there is none, or it cannot be read: the engine finds out which.
 */
export async function findStore(): Promise<EarlyStore | undefined> {
  try {
    const origin = await navigator.storage.getDirectory();
    const root = await origin.getDirectoryHandle("taipan-store");
    const files = ["index-0", "index-1"].map((name) => read(root, name));
    const [content, ...index] = await Promise.all([root.getDirectoryHandle("content"), ...files]);
    return { root, content, index };
  } catch {
    return undefined;
  }
}

async function read(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array | undefined> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    // One of the two may not have been written yet.
    return undefined;
  }
}
