/** Starts the worker. Every bundler finds its script, and the wasm module beside that, from the literal URL below. */
export function spawnWorker(): Worker {
  // Bundlers must leave this one alone: it only tells where the package was loaded from, if it was not bundled.
  const script = new URL(/* webpackIgnore: true */ /* @vite-ignore */ "./worker.js", import.meta.url);
  if (isForeign(script)) {
    return spawnForeign(script);
  }
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "taipan" });
}

/** Whether the package came from another origin, a CDN: browsers start no worker from there. */
function isForeign(script: URL): boolean {
  return /^https?:$/.test(script.protocol) && script.origin !== globalThis.location?.origin;
}

/** A worker of the page's own origin that does nothing but import the real script, for which CORS suffices. */
function spawnForeign(script: URL): Worker {
  const source = new Blob([`import ${JSON.stringify(script.href)};`], { type: "text/javascript" });
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { type: "module", name: "taipan" });
  // The worker has fetched the blob once it speaks or fails.
  const revoke = () => URL.revokeObjectURL(url);
  worker.addEventListener("message", revoke, { once: true });
  worker.addEventListener("error", revoke, { once: true });
  return worker;
}
