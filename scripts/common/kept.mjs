/** What Taipan keeps in a browser, read from outside: for tests, and for `prepare`. These functions run in a page. */

/**
 * The newest index in the origin private file system.
 *
 * @returns {Promise<{ names: Record<string, string>, content: Record<string, number> }>} SHA-256s by name, sizes by SHA-256
 */
export async function readIndex() {
  const index = { generation: -1, names: {}, content: {} };
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("taipan-store");
    for await (const [name, handle] of folder.entries()) {
      if (!name.startsWith("index-")) continue;
      // The format is that of `Index::decode` in crate/core/src/store/index.rs.
      const [, head = "", ...lines] = (await (await handle.getFile()).text()).trimEnd().split("\n");
      const generation = Number(head.split(" ").at(-1) || -1);
      if (generation < index.generation) continue;
      const parts = lines.map((line) => line.split(" "));
      const named = parts.filter(([, mark]) => mark === "=");
      const content = parts.filter(([, mark]) => mark !== "=");
      Object.assign(index, {
        generation,
        names: Object.fromEntries(named.map(([hash, , ...name]) => [name.join(" "), hash])),
        content: Object.fromEntries(content.map(([hash, size]) => [hash, Number(size)])),
      });
    }
  } catch {
    // There is none yet, or it is being written.
  }
  return index;
}

/** The folder of what is kept, by SHA-256. */
export async function keptContent() {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("taipan-store");
  return folder.getDirectoryHandle("content");
}

/** The bytes of content. */
export async function readContent(hash) {
  const handle = await (await keptContent()).getFileHandle(hash);
  return new Uint8Array(await (await handle.getFile()).arrayBuffer());
}

/** What gives a page these functions. */
export const KEPT_FUNCTIONS = [readIndex, keptContent, readContent]
  .map((body) => `globalThis.${body.name} = ${body};`)
  .join(" ");
