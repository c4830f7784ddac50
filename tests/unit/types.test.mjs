import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { it } from "node:test";
import { root } from "../../scripts/common/paths.mjs";

it("the public types, and the engine's, are what tests/types says", () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, "--project", join(root, "tests", "types", "tsconfig.json")],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 0, stdout);
});
