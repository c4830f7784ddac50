/** Files that are either whole or not there. */
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Problem } from "./problem.mjs";

/** The names of files that `writeWhole` had not finished when it was killed. */
export const TEMPORARY = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

const WAYS_OUT = {
  ENOSPC: "There is no room left. Free some, and run the same again: it goes on where it was.",
  EDQUOT: "The quota of the disk is used up. Free some room, and run the same again: it goes on where it was.",
  EACCES: "Name a folder that you may write to.",
  EPERM: "Name a folder that you may write to.",
  EROFS: "The disk is read-only: name another folder.",
  ENOTDIR: "A part of that path is a file: name another folder.",
};

/** What went wrong while something was written, for the person at the terminal. */
export function unwritable(path, error) {
  if (error instanceof Problem || !error?.code) return error;
  const next = WAYS_OUT[error.code] ?? "Name another folder.";
  return new Problem(`${path} cannot be written: ${error.message}.`, next, { code: "FILE_SYSTEM", cause: error });
}

/**
 * Makes a folder and those above it. Node's own never ends where a folder is there and nothing can be made in it.
 *
 * @returns {Promise<string[]>} those that were not there, from the top
 */
export async function makeFolder(path) {
  const make = () =>
    mkdir(path).then(
      () => [path],
      (error) => {
        if (error.code !== "EEXIST") throw error;
        return [];
      },
    );
  try {
    return await make();
  } catch (error) {
    if (error.code !== "ENOENT" || dirname(path) === path) throw error;
    return [...(await makeFolder(dirname(path))), ...(await make())];
  }
}

/** Takes folders that `makeFolder` has made away again, as far as nothing is in them. */
export async function removeEmpty(made) {
  for (const folder of made.toReversed()) {
    // What is in it is worth more than a tidy disk.
    await rmdir(folder).catch(() => {});
  }
}

/**
 * Writes a file in one rename: nobody ever sees half of it.
 *
 * @throws {Problem} `FILE_SYSTEM`
 */
export async function writeWhole(path, data) {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await makeFolder(dirname(path));
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
