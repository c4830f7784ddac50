/** The page: `www/` and the npm package, bundled. */
import { join } from "node:path";
import { run } from "../common/command.mjs";
import { localCache, root } from "../common/paths.mjs";
import { step } from "../common/step.mjs";
import { filesUnder, hashOf, isCurrent, remember } from "./inputs.mjs";

export async function buildPage() {
  const output = join(root, "build");
  const configuration = ["webpack.config.js", "tsconfig.json", "tsconfig.www.json", "package-lock.json"];
  const inputs = async () =>
    hashOf([
      ...configuration.map((name) => join(root, name)),
      ...(await filesUnder(join(root, "www"))),
      ...(await filesUnder(join(root, "dist"))),
    ]);
  let before = await inputs();
  await step({
    name: "Page",
    doing: "bundling www/ into build/, some seconds",
    lock: "build-page",
    lockFolder: join(localCache, "locks"),
    isDone: async () => {
      const files = await filesUnder(output);
      return files.length > 0 && (await isCurrent("page", before, files));
    },
    work: async () => {
      before = await inputs();
      const webpack = join(root, "node_modules", "webpack-cli", "bin", "cli.js");
      await run(process.execPath, [webpack, "--mode", "production"], { cwd: root, log: "webpack" });
      await remember("page", before, await filesUnder(output));
    },
  });
}
