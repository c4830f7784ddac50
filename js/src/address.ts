import { badArgument } from "./common_errors.js";

/** The distribution that is used unless another is named. */
export const DEFAULT_INDEX_URL = "https://cdn.jsdelivr.net/pyodide/v0.28.3/full/";

/** An absolute URL; relative ones are relative to the page, or to the script in a worker. */
export function resolveUrl(option: string, url: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(url, base).href;
  } catch {
    throw badArgument(option, `is not a URL: ${JSON.stringify(String(url))}`);
  }
}

/** An absolute URL that ends in a slash. */
export function resolveFolder(option: string, url: string | URL): string {
  const folder = new URL(resolveUrl(option, url));
  if (!folder.pathname.endsWith("/")) {
    folder.pathname += "/";
  }
  return folder.href;
}

/** A package as the engine takes it: a name of the lock file, or the absolute URL of a wheel. */
export function resolvePackage(option: string, nameOrUrl: string): string {
  return /\/|\.whl$/.test(nameOrUrl) ? resolveUrl(option, nameOrUrl) : nameOrUrl;
}

/** Roots of package indexes, absolute; a placeholder in one stays readable. */
export function resolveIndexes(urls: readonly (string | URL)[]): string[] {
  return urls.map((url) => resolveUrl("indexURLs", url).replace("%7Bpackage_name%7D", "{package_name}"));
}

/** A requirement as the engine takes it: where it is only the relative URL of a wheel, that is made absolute. */
export function resolveRequirement(requirement: string): string {
  const isRelative = /^[^\s@;]+\.whl([?#]\S*)?$/.test(requirement) && !/^\w+:/.test(requirement);
  return isRelative ? resolveUrl("requirements", requirement) : requirement;
}

/** What the name of an image that is kept has to be. */
export const IMAGE_NAME = "must be a name of 1 to 200 characters without control characters";

/** Whether an image can be kept under this. */
export function isImageName(name: unknown): name is string {
  return typeof name === "string" && /^[^\u0000-\u001f\u007f]{1,200}$/.test(name);
}
