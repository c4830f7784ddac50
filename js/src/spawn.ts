/** Starts the worker. Its script and the wasm module beside it are found by every bundler from the literal URL below. */
export function spawnWorker(): Worker {
  const script = import.meta.url;
  if (isForeign(script)) {
    return spawnForeign(script);
  }
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "taipan" });
}

/** Whether this module came from another origin, a CDN: browsers start no worker from there. */
function isForeign(script: string): boolean {
  return /^https?:/.test(script) && new URL(script).origin !== globalThis.location?.origin;
}

/** A worker of the page's own origin that does nothing but import the real script, for which CORS suffices. */
function spawnForeign(script: string): Worker {
  const target = new URL("worker.js", script).href;
  const source = new Blob([`import ${JSON.stringify(target)};`], { type: "text/javascript" });
  const url = URL.createObjectURL(source);
  const worker = new Worker(url, { type: "module", name: "taipan" });
  // The worker has fetched the blob once it speaks or fails.
  const revoke = () => URL.revokeObjectURL(url);
  worker.addEventListener("message", revoke, { once: true });
  worker.addEventListener("error", revoke, { once: true });
  return worker;
}
