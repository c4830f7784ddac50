/** Programs in TypeScript that are written for Pyodide, and our types beside Pyodide's own declarations. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { distributionFolder, root } from "../../scripts/common/paths.mjs";

const OURS = process.env.TAIPAN_DIST ?? join(root, "dist");
const PROGRAMS = join(root, "tests", "browser", "programs", "typescript", "*.ts");
const DECLARATIONS = join(root, "tests", "types", "pyodide", "*.ts");

/** What `pyodide` and `pyodide/ffi` mean. */
const ours = { pyodide: join(OURS, "pyodide.d.ts"), "pyodide/ffi": join(OURS, "pyodide_ffi.d.ts") };
const stock = (version) => ({
  pyodide: join(distributionFolder(version), "pyodide.d.ts"),
  "pyodide/ffi": join(distributionFolder(version), "ffi.d.ts"),
});
const besides = { "taipan/pyodide": ours.pyodide, "taipan/pyodide/ffi": ours["pyodide/ffi"] };

for (const [what, include, addresses] of [
  ["programs for Pyodide fit our types", PROGRAMS, ours],
  ["programs for Pyodide fit those of Pyodide 0.28.3", PROGRAMS, stock("0.28.3")],
  ["our types are those of Pyodide 0.28.3", DECLARATIONS, { ...stock("0.28.3"), ...besides }],
]) {
  it(what, async () => {
    const folder = await mkdtemp(join(tmpdir(), "taipan-pyodide-types-"));
    const paths = Object.fromEntries(Object.entries(addresses).map(([name, address]) => [name, [address]]));
    // As most programs are compiled: our own sources allow less.
    const compilerOptions = { paths, exactOptionalPropertyTypes: false, erasableSyntaxOnly: false };
    const configuration = { extends: join(root, "tsconfig.json"), compilerOptions, include: [include] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", folder, "--pretty", "false"], {
      cwd: root,
      encoding: "utf8",
    });
    await rm(folder, { recursive: true });
    assert.equal(status, 0, stdout);
  });
}
