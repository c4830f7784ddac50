/** Packages with side modules, and their data in JavaScript. */
export default async ({ pyodide, say }) => {
  say((await pyodide.loadPackage("pandas", { messageCallback() {} })).map(({ name }) => name).sort());
  say(
    pyodide
      .runPython(
        "import numpy as np, pandas as pd\npd.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]}).groupby('k').v.sum().to_dict()",
      )
      .toJs(),
  );
  const array = pyodide.runPython("np.arange(6, dtype='float32').reshape(2, 3)");
  const buffer = array.getBuffer();
  say(buffer.shape, buffer.strides, buffer.data);
  buffer.release();
  say(array.toJs());
  pyodide.globals.set("typed", new Int32Array([1, 2, 3]));
  say(pyodide.runPython("np.asarray(typed.to_py()).sum().item()"));
  say(pyodide.runPython("pd.read_csv(__import__('io').StringIO('a,b\\n1,2\\n')).to_json()"));
};
