/** Bytecode of the standard library, for the npm package: a first visit need not compile what every page imports. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../common/command.mjs";
import { hasContent, placeWhole, sha256, withTemporaryFolder, writeWhole } from "../common/file.mjs";
import { distributionFolder, localCache, root } from "../common/paths.mjs";
import { step } from "../common/step.mjs";
import { distributions } from "../setup/distribution.mjs";
import { hashOf, isCurrent, remember } from "./inputs.mjs";

/** The release that `loadPython` uses unless another is named. */
export const VERSION = "0.28.3";

const LIBRARY = "python_stdlib.zip";
const made = join(localCache, "bytecode", `${VERSION}.zip`);
const PROGRAMS = ["bytecode.py", "make-bytecode.mjs"].map((name) => fileURLToPath(new URL(name, import.meta.url)));

/** Makes the file, unless that has been done from the same things. */
export async function makeBytecode() {
  const { files } = distributions[VERSION];
  const inputs = await hashOf(PROGRAMS, JSON.stringify(files));
  await step({
    name: "Bytecode of the standard library",
    doing: `compiling it in CPython of Pyodide ${VERSION}, some seconds`,
    lock: "build-bytecode",
    lockFolder: join(localCache, "locks"),
    isDone: () => isCurrent("bytecode", inputs, [made]),
    work: async () => {
      await withTemporaryFolder(join(localCache, "bytecode"), async (folder) => {
        const file = join(folder, "bytecode.zip");
        await run(process.execPath, [PROGRAMS[1], distributionFolder(VERSION), file], {
          log: "bytecode",
          next: "Run `npm run setup`, which gets the distribution anew if it is damaged, then this again.",
        });
        await placeWhole(file, made);
      });
      await remember("bytecode", inputs, [made]);
    },
  });
  return made;
}

/** Puts the file into the package, and into the table that is one of its modules. */
export async function placeBytecode(dist, modules) {
  const hash = await sha256(made);
  const folder = join(dist, "bytecode");
  const name = basename(made);
  if (!(await hasContent(join(folder, name), { sha256: hash }))) await placeWhole(made, join(folder, name));
  const archive = distributions[VERSION].files[LIBRARY].sha256;
  const table = join(modules, "bytecode.js");
  const entry = `"${archive}": { url: new URL("./bytecode/${name}", import.meta.url).href, sha256: "${hash}" }`;
  const source = await readFile(join(root, "js", "src", "bytecode.ts"), "utf8");
  const head = source.slice(0, source.indexOf("*/") + 2);
  await writeWhole(table, `${head}\nexport const BYTECODE = {\n  ${entry},\n};\n`);
}
