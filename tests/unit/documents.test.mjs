/** The samples in the documents, looked at by the compiler as a reader's own code would be. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { root } from "../../scripts/common/paths.mjs";

const TYPES = join(root, "tests", "types");

/** Code between fences of a language, with the line of the document that it begins on. */
function samplesOf(document, languages) {
  const fences = new RegExp(String.raw`^\x60{3}(?:${languages})\n([\s\S]*?)^\x60{3}$`, "gm");
  return Array.from(document.matchAll(fences), ({ 1: code, index }) => ({
    code,
    line: document.slice(0, index).split("\n").length + 1,
  }));
}

let folder;
/** By the name of the file that a sample is put into. */
const samples = new Map();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "taipan-documents-"));
  const documents = ["README.md", ...(await readdir(join(root, "docs"))).map((name) => join("docs", name))];
  for (const path of documents.filter((name) => name.endsWith(".md"))) {
    for (const { code, line } of samplesOf(await readFile(join(root, path), "utf8"), "js|ts")) {
      const name = `${path.replaceAll(/\W/g, "_")}_${line}.ts`;
      samples.set(name, { path, line });
      // Each is a module of its own, and may await.
      await writeFile(join(folder, name), `${code}\nexport {};\n`);
    }
  }
  const configuration = {
    extends: join(TYPES, "tsconfig.json"),
    compilerOptions: { noUnusedLocals: false },
    include: [join(folder, "*.ts"), join(TYPES, "documents", "reader.d.ts")],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(configuration));
});
after(() => rm(folder, { recursive: true, force: true }));

it("samples in the documents fit the types", () => {
  assert.ok(samples.size >= 15, `${samples.size} samples were found`);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", folder, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
  });
  const inDocuments = stdout.replaceAll(/^\S*?(\w+\.ts)\((\d+),\d+\)/gm, (place, name, line) => {
    const sample = samples.get(name);
    return sample ? `${sample.path}:${sample.line + Number(line) - 1}` : place;
  });
  assert.equal(status, 0, inDocuments);
});
