import type { EarlyStore } from "./boundary.js";

const FOLDER = "taipan-store";
const CONTENT = "content";

/**
 * Looks into the store while the wasm module, which keeps it (`crate/web/src/store`), is on its way: each step waits for an
 * answer of the browser's. `"none"` if there is none yet; `undefined` if it cannot be read: the engine finds out why.
 */
export async function findStore(): Promise<EarlyStore | "none" | undefined> {
  try {
    const origin = await navigator.storage.getDirectory();
    const root = await origin.getDirectoryHandle(FOLDER).catch(absent);
    if (root === "none") {
      return root;
    }
    const files = ["index-0", "index-1"].map((name) => read(root, name));
    const [content, ...index] = await Promise.all([root.getDirectoryHandle(CONTENT), ...files]);
    return { root, content, index };
  } catch {
    return undefined;
  }
}

/** Makes the folders of a store that is not there yet. `undefined` if nothing can be kept in them. */
export async function makeStore(): Promise<EarlyStore | undefined> {
  const { prototype } = FileSystemFileHandle;
  if (!("createSyncAccessHandle" in prototype || "createWritable" in prototype)) {
    return undefined;
  }
  try {
    const origin = await navigator.storage.getDirectory();
    const root = await origin.getDirectoryHandle(FOLDER, { create: true });
    return { root, content: await root.getDirectoryHandle(CONTENT, { create: true }), index: [] };
  } catch {
    return undefined;
  }
}

function absent(error: unknown): "none" {
  if (error instanceof DOMException && error.name === "NotFoundError") {
    return "none";
  }
  throw error;
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
