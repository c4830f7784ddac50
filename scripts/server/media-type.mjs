/** What a file is, by the ending of its name. */
import { extname } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".image": "application/vnd.taipan.image",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".py": "text/x-python; charset=utf-8",
  ".svg": "image/svg+xml",
  ".tar": "application/x-tar",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".whl": "application/octet-stream",
  ".woff2": "font/woff2",
  ".zip": "application/zip",
};

export const mediaType = (path) => TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";

/** Wheels, images and fonts are compressed already; of archives, those of bytecode are not. */
export const isCompressible = (path) =>
  /^(text\/|application\/(json|wasm|zip|vnd\.taipan\.image)|image\/svg)/.test(mediaType(path));
