/** Starts the worker. Every bundler finds its script, and the wasm module beside that, from the literal URL below. */
export function spawnWorker(): Worker {
  // Bundlers must leave this one alone: it only tells where the package was loaded from, if it was not bundled.
  const script = new URL(/* webpackIgnore: true */ /* @vite-ignore */ "./worker.js", import.meta.url);
  if (isForeign(script)) {
    return spawnForeign(script);
  }
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "taipan" });
}

/**
 * Whether the package came from another origin, a CDN: browsers start no worker from there. To a sandboxed page, which has
 * no origin whatever its address is, everything is foreign.
 */
function isForeign(script: URL): boolean {
  return /^https?:$/.test(script.protocol) && script.origin !== globalThis.origin;
}

/** A worker of the page's own origin that does nothing but import the real script, for which CORS suffices. */
function spawnForeign(script: URL): Worker {
  const source = `import ${JSON.stringify(script.href)};`;
  if (globalThis.origin === "null") {
    // A page without an origin cannot start a module from its own blobs.
    return new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module", name: "taipan" });
  }
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module", name: "taipan" });
  // The worker has fetched the blob once it speaks or fails.
  const revoke = () => URL.revokeObjectURL(url);
  worker.addEventListener("message", revoke, { once: true });
  worker.addEventListener("error", revoke, { once: true });
  return worker;
}
