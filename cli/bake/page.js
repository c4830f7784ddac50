/** The page that bakes: it starts Python, imports, runs the program, and hands the image to the command. */

const tell = (what, body) => fetch(`tell/${what}`, { method: "POST", body });

const IMPORTS = `
import importlib
for module in modules:
    importlib.import_module(module)
del importlib, module, modules`;

/** What differs from run to run, and is made anew for each page anyway; and what the hash seed was set by. */
const TIDY = `
import os, sys
os.environ.pop("PYTHONHASHSEED", None)
for name in ("random", "numpy.random"):
    if name in sys.modules:
        sys.modules[name].seed(0)
del os, sys, name`;

async function bake() {
  const { loadPython } = await import("./taipan/index.js");
  const { packages, modules, program } = await (await fetch("job")).json();
  let reported = 0;
  const python = await loadPython({
    indexURL: "distribution/",
    image: "none",
    cache: "none",
    packages,
    // The hash seed is part of what is baked: the same things make the same image.
    env: { PYTHONHASHSEED: "0" },
    onProgress: ({ overall }) => {
      if (!overall?.total || performance.now() - reported < 200) return;
      reported = performance.now();
      void tell("progress", JSON.stringify(overall));
    },
  });
  await tell("step", "start");
  if (modules.length > 0) await python.run(IMPORTS, { globals: { modules }, filename: "<imports>" });
  if (program) {
    await tell("step", "run");
    await python.run(program.source, {
      filename: program.filename,
      onOutput: (output) => "text" in output && void tell("output", output.text),
    });
  }
  await python.run(TIDY, { filename: "<tidy>" });
  await tell("step", "bake");
  const image = await python.bake();
  await tell("packages", JSON.stringify(await python.loadedPackages()));
  await tell("image", image);
}

bake().catch(({ code, message, hint, traceback, stack }) =>
  tell("failure", JSON.stringify({ code, message: message ?? String(stack), hint, traceback })),
);
