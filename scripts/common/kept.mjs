/** What Taipan keeps in a browser, read from outside: for tests, and for `prepare`. These functions run in a page. */

/**
 * The newest index in the origin private file system.
 *
 * @returns {Promise<{ names: Record<string, string>, content: Record<string, [size: number, lastUsed: number, isDirect:
 *   boolean]> }>} SHA-256s by name, and what is known of each
 */
export async function readIndex() {
  const HEADER = 65;
  let newest = { generation: -1, names: {}, content: {} };
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("taipan-store");
    for await (const [name, handle] of folder.entries()) {
      if (!name.startsWith("index-")) continue;
      const text = await (await handle.getFile()).text();
      const index = JSON.parse(text.slice(HEADER) || "{}");
      if (index.generation > newest.generation) newest = index;
    }
    return newest;
  } catch {
    // There is none yet, or it is being written.
    return newest;
  }
}

/** The bytes of content. */
export async function readContent(hash) {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("taipan-store");
  const handle = await (await folder.getDirectoryHandle("content")).getFileHandle(hash);
  return new Uint8Array(await (await handle.getFile()).arrayBuffer());
}

/** What gives a page these functions. */
export const KEPT_FUNCTIONS = `globalThis.readIndex = ${readIndex}; globalThis.readContent = ${readContent};`;
