/** The page that bakes: it starts Python, imports, runs the program, and hands the image to the command. */

/** Milliseconds after which the command hears that the page is there, whatever Python does. */
const ALIVE = 5000;

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

/** What pages do first, as far as that can be known: what an image is needed for that has no program. */
const FIRST_STEPS = `
def first_steps():
    import contextlib, sys
    if "numpy" in sys.modules:
        import numpy
        with contextlib.suppress(Exception):
            values = numpy.arange(6.0).reshape(2, 3)
            repr(values @ values.T + values.sum())
    if "pandas" in sys.modules:
        import pandas
        with contextlib.suppress(Exception):
            frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
            repr(frame), frame._repr_html_()
            repr(frame.groupby("b").a.sum())
            repr(frame[frame.a > 1].sort_values("a").describe())
first_steps()
del first_steps`;

const onOutput = (output) => "text" in output && void tell("output", output.text);

/** Starts Python from the beginning, imports, and runs the program. */
async function prepare(loadPython, { packages, modules, program }) {
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
    await python.run(program.source, { filename: program.filename, onOutput });
  }
  await python.run(TIDY, { filename: "<tidy>" });
  return python;
}

/**
 * Starts Python from an image as a page does, and does what pages do first. An image of it knows which side modules were
 * called.
 */
async function exercise(loadPython, image, program = { source: FIRST_STEPS, filename: "<first steps>" }) {
  const address = URL.createObjectURL(image);
  const python = await loadPython({ indexURL: "distribution/", image: address, cache: "none" });
  try {
    if (python.timings.image === undefined) throw new Error(python.timings.imageRefused);
    await python.run(program.source, { filename: program.filename });
    return await python.bake();
  } finally {
    python.dispose();
    URL.revokeObjectURL(address);
  }
}

async function bake() {
  const { loadPython } = await import("./taipan/index.js");
  const job = await (await fetch("job")).json();
  const python = await prepare(loadPython, job);
  await tell("step", "bake");
  const image = await python.bake();
  await tell("packages", JSON.stringify(await python.loadedPackages()));
  python.dispose();
  await tell("image", image);
  await tell("step", "exercise");
  await exercise(loadPython, image, job.exercise ?? job.program).then(
    (exercised) => tell("exercised", exercised),
    // A program that cannot run twice: then nobody knows what can wait, and nothing does.
    ({ message }) => tell("unknown", message),
  );
}

setInterval(() => void tell("alive"), ALIVE);
bake().catch(({ code, message, hint, traceback, stack }) =>
  tell("failure", JSON.stringify({ code, message: message ?? String(stack), hint, traceback })),
);
