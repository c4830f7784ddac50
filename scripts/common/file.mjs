/** Files that are either whole or not there. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

export { writeWhole } from "../../cli/file.mjs";

/** SHA-256 of a file as hexadecimal digits, or undefined where there is no such file. */
export async function sha256(path) {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  return hash.digest("hex");
}

/** Whether the file is there with exactly this content. */
export async function hasContent(path, { sha256: expected, size }) {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || (size !== undefined && found.size !== size)) return false;
  return (await sha256(path)) === expected;
}

/** Copies a file in one rename, also from another file system. */
export async function placeWhole(from, to) {
  await mkdir(dirname(to), { recursive: true });
  const temporary = `${to}.${randomUUID()}.part`;
  try {
    await copyFile(from, temporary);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The parsed JSON of a file, or undefined where there is none or it is not JSON. */
export async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Runs `body` with a folder beside `path` (same file system, so that renames work) that is gone afterwards. */
export async function withTemporaryFolder(path, body) {
  await mkdir(dirname(path), { recursive: true });
  const folder = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
