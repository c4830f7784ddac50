/**
 * What packages look for and can do without: the rule at the head of `_taipan/finder.py`, with those that people use. What
 * counts is what the server is asked for, not only what is there afterwards.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openApiPage } from "../support/api-page.mjs";
import { wheel } from "../support/simple-index.mjs";

/** Looks for SciPy as seaborn's `matrix.py` does: in a `try` while it is imported, and again when a function needs it. */
const PLOTTING_LIBRARY = wheel("plotting_library", "1.0", {
  requires: ["numpy", "pandas"],
  files: {
    "plotting_library/__init__.py": `
import numpy as np
import pandas as pd
try:
    from scipy.cluster import hierarchy
    _no_scipy = False
except ImportError:
    _no_scipy = True

def without_scipy():
    return _no_scipy

def density(values):
    from scipy import stats
    return stats.gaussian_kde(values)(0.0).shape

def has_regex():
    try:
        import regex
    except ImportError:
        return False
    return True
`,
  },
});

/** Code that calls `probe`, and whether an `ImportError` there would be taken care of. */
const GUARDS = [
  ["probe()", false],
  ["try:\n probe()\nexcept ImportError:\n pass", true],
  ["try:\n probe()\nexcept (ValueError, ImportError) as e:\n x = 1", true],
  ["try:\n probe()\nexcept ValueError:\n pass\nexcept ModuleNotFoundError:\n pass", true],
  ["try:\n probe()\nexcept ValueError:\n pass", false],
  ["try:\n probe()\nexcept:\n pass", true],
  ["try:\n probe()\nexcept ImportError as e:\n raise ValueError from e", false],
  ["try:\n probe()\nexcept ImportError:\n raise", false],
  ["try:\n try:\n  probe()\n except ImportError:\n  raise ValueError\nexcept Exception:\n pass", true],
  ["try:\n try:\n  probe()\n except KeyError:\n  pass\nexcept ImportError:\n pass", true],
  ["try:\n try:\n  probe()\n finally:\n  x = 2\nexcept ImportError:\n pass", true],
  ["try:\n probe()\nfinally:\n x = len('')", false],
  ["import contextlib\nwith contextlib.nullcontext():\n probe()", false],
  ["from contextlib import suppress\nwith suppress(ImportError):\n probe()", true],
  ["try:\n 1 / 0\nexcept ZeroDivisionError:\n probe()", false],
  ["try:\n pass\nexcept ImportError:\n pass\nelse:\n probe()", false],
  ["def f():\n try:\n  probe()\n except ImportError:\n  return 1\nf()", true],
  ["for i in range(1):\n try:\n  probe()\n except ImportError:\n  continue", true],
];

for (const version of ["0.28.3", "314.0.7"]) {
  describe(`handlers of ImportError, ${version}`, { timeout: 120_000 }, () => {
    it("are read off the bytecode", async () => {
      const api = await openApiPage({ version });
      const { value } = await api.evaluate(
        async (cases) =>
          (await shared()).run(
            `
import sys
from _taipan.guard import is_guarded
found = []
for code, _ in cases:
    exec(compile(code, "<case>", "exec"), {"probe": lambda: found.append(is_guarded(sys._getframe(1)))})
[[code, outcome] for (code, _), outcome in zip(cases, found)]`,
            { globals: { cases } },
          ),
        GUARDS,
      );
      await api.close();
      assert.deepEqual(value, GUARDS);
    });
  });
}

describe("packages that look for others", { timeout: 300_000 }, () => {
  let api;
  before(async () => {
    api = await openApiPage();
    api.server.hooks.push({ match: /plotting_library-1\.0/, body: PLOTTING_LIBRARY.bytes });
  });
  after(() => api?.close());

  /**
   * Runs pieces of code, one after the other, in an interpreter of its own, without a store.
   *
   * @returns {Promise<{ ends: { value: unknown, loaded: string[] }[], wheels: string[] }>} of each piece its value and what
   *   is loaded after it, by normalised names; and of which projects wheels were asked for, whatever the answer
   */
  async function inFresh(...pieces) {
    api.server.log.length = 0;
    const ends = await api.evaluate(async (pieces) => {
      // With packages that this lock file does not have, so that looking for them could bring them.
      const lockFileContents = await (await fetch("/python/pyodide-lock.json")).json();
      for (const name of ["pyarrow", "numexpr", "bottleneck", "numba", "fsspec"]) {
        const file_name = `${name}-1.0-py3-none-any.whl`;
        lockFileContents.packages[name] = { ...lockFileContents.packages.six, name, file_name, imports: [name] };
      }
      const python = await start({ cache: "none", lockFileContents });
      const ends = [];
      for (const code of pieces) {
        const { value } = await python.run(code);
        const loaded = (await python.loadedPackages()).map(({ name }) => name.toLowerCase());
        ends.push({ value, loaded: loaded.sort() });
      }
      python.dispose();
      return ends;
    }, pieces);
    const wheels = api.server.log.map(({ path }) => /([^/]+?)-[^/]*\.whl$/.exec(path)?.[1]);
    return { ends, wheels: [...new Set(wheels.filter(Boolean))].sort() };
  }

  const PANDAS = ["numpy", "pandas", "python-dateutil", "pytz", "six"];
  const MATPLOTLIB = [
    ["contourpy", "cycler", "fonttools", "kiwisolver", "matplotlib", "numpy", "packaging", "pillow", "pyparsing"],
    ["python-dateutil", "pytz", "six"],
  ].flat();
  const union = (...lists) => [...new Set(lists.flat())].sort();

  it("pandas does not bring what only makes it faster, nor what it can read with", async () => {
    const { ends, wheels } = await inFresh(`
import io
import pandas as pd
frame = pd.read_csv(io.StringIO("a,b\\n1,2\\n3,4"), parse_dates=False)
frame.eval("c = a + b").groupby("a").c.sum().rolling(2).mean().count().item()`);
    assert.deepEqual(ends, [{ value: 1, loaded: PANDAS }]);
    assert.deepEqual(wheels, ["numpy", "pandas", "python_dateutil", "pytz", "six"]);
  });

  it("pandas brings matplotlib when it draws", async () => {
    const { ends } = await inFresh(
      "import pandas as pd\nframe = pd.DataFrame({'a': [1, 3, 2]})",
      "type(frame.plot()).__module__.split('.')[0]",
    );
    assert.equal(ends[1].value, "matplotlib");
    assert.deepEqual(ends[1].loaded, union(PANDAS, MATPLOTLIB));
  });

  it("pandas asks for what it needs for styles, and says what is missing when that cannot be had", async () => {
    const { ends, wheels } = await inFresh(`
import pandas as pd
try:
    pd.DataFrame({"a": [1]}).style
except AttributeError as error:
    outcome = str(error)
outcome`);
    assert.deepEqual(ends, [{ value: "The '.style' accessor requires jinja2", loaded: PANDAS }]);
    // It is in the lock file; the server of these tests does not have it.
    assert.ok(wheels.includes("jinja2"));
  });

  it("the standard library brings what its modules need, and goes without what they only try", async () => {
    const { ends, wheels } = await inFresh(
      "import hashlib, tarfile, zipfile\nhashlib.sha256(b'').hexdigest()[:8]",
      "try:\n    exec('import lzma')\nexcept ImportError:\n    outcome = 'not here'\noutcome",
    );
    assert.equal(ends[0].value, "e3b0c442");
    assert.equal(ends[1].value, "not here");
    // It is in the lock file; the server of these tests does not have it.
    assert.deepEqual(wheels, ["lzma"]);
  });

  it("scikit-learn fits without pandas and matplotlib, and draws with what drawing needs", async () => {
    const { ends } = await inFresh(
      `
from sklearn.linear_model import LinearRegression
round(float(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]).coef_[0]), 9)`,
      `
from sklearn.metrics import ConfusionMatrixDisplay
type(ConfusionMatrixDisplay.from_predictions([0, 1], [0, 1]).figure_).__name__`,
    );
    const fitting = ["joblib", "libopenblas", "numpy", "scikit-learn", "scipy", "threadpoolctl"];
    assert.deepEqual(ends[0], { value: 2, loaded: fitting });
    assert.deepEqual(ends[1], { value: "Figure", loaded: union(fitting, MATPLOTLIB) });
  });

  it("matplotlib draws and saves with what it needs, and with nothing it could show windows or formulas with", async () => {
    const { ends } = await inFresh(`
import io
from matplotlib import pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 3, 2])
files = [io.BytesIO() for _ in range(4)]
for file, format in zip(files, ("png", "jpg", "svg", "pdf")):
    figure.savefig(file, format=format)
[file.getvalue()[:3].hex() for file in files]`);
    assert.deepEqual(ends, [{ value: ["89504e", "ffd8ff", "3c3f78", "255044"], loaded: MATPLOTLIB }]);
  });

  it("sympy calculates alone; a function made for NumPy brings it", async () => {
    const { ends } = await inFresh(
      "import sympy\nx = sympy.Symbol('x')\nstr(sympy.integrate(2 * x, x))",
      "sympy.lambdify(x, sympy.sin(x) + x, 'numpy')(0.0).item()",
    );
    assert.deepEqual(ends[0], { value: "x**2", loaded: ["mpmath", "sympy"] });
    assert.deepEqual(ends[1], { value: 0, loaded: ["mpmath", "numpy", "sympy"] });
  });

  it("a library like seaborn goes without SciPy while it is imported, and gets it when a function needs it", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      await python.install(new URL("/python/plotting_library-1.0-py3-none-any.whl", location.href).href);
      const names = async () => (await python.loadedPackages()).map(({ name }) => name);
      const first = (await python.run("import plotting_library\nplotting_library.without_scipy()")).value;
      const before = await names();
      const value = (await python.run("plotting_library.density([0.0, 1.0, 2.5])")).value;
      const regex = (await python.run("plotting_library.has_regex()")).value;
      const later = await names();
      python.dispose();
      return { first, before, value, regex, later };
    });
    assert.equal(found.first, true);
    assert.ok(found.before.includes("pandas") && !found.before.includes("scipy"));
    assert.deepEqual(found.value, [1]);
    assert.equal(found.regex, true);
    assert.ok(found.later.includes("scipy") && found.later.includes("regex"));
  });

  it("code of the user gets what it tries, in a cell and in a module of its own", async () => {
    const found = await api.evaluate(async () => {
      const python = await start({ cache: "none" });
      await python.fs.writeFile("/home/pyodide/mine.py", "try:\n    import six\nexcept ImportError:\n    six = None\n");
      const { value } = await python.run(`
exec("import mine")
try:
    exec("import cycler")
except ImportError:
    cycler = None
[mine.six is not None, cycler is not None]`);
      python.dispose();
      return value;
    });
    assert.deepEqual(found, [true, true]);
  });
});
