/** What can be measured. */

import { PROGRAM_STEPS } from "./programs.js";

/** What a page writes to the console when its result is there: whoever waits for that takes no time from what is measured. */
export const PUBLISHED = "published";

const GROUPBY_STEPS = [
  { name: "numpy", packages: ["numpy"], code: "import numpy" },
  { name: "pandas", packages: ["pandas"], code: "import pandas" },
  {
    name: "groupby",
    packages: [],
    code: [
      "frame = pandas.DataFrame({'key': ['a', 'b', 'a', 'c'] * 250, 'value': range(1000)})",
      "str(frame.groupby('key')['value'].sum().to_dict())",
    ].join("\n"),
  },
];

const FIGURE_STEPS = [
  { name: "matplotlib", packages: ["matplotlib"], code: "import matplotlib.pyplot" },
  {
    name: "figure",
    packages: [],
    code: [
      "import io",
      "from matplotlib.figure import Figure",
      "figure, png = Figure(), io.BytesIO()",
      "figure.subplots().plot([1, 2, 3])",
      "figure.savefig(png, format='png')",
      "png.getvalue()[:8].hex()",
    ].join("\n"),
  },
];

/**
 * By the name of a choice: what an image for it has imported, and its steps: their names, packages and code. Where they are
 * `alone`, each one's time is from the end of the one before, not from navigation.
 */
export const CHOICES = {
  core: { baked: "", steps: [{ name: "sum", packages: [], code: "1 + 1" }] },
  programs: { baked: "", steps: PROGRAM_STEPS, alone: true },
  groupby: { baked: "import pandas", steps: GROUPBY_STEPS },
  figure: { baked: "import numpy, pandas, matplotlib.pyplot", steps: [...GROUPBY_STEPS, ...FIGURE_STEPS] },
  all: {
    baked: "import numpy, pandas, matplotlib.pyplot, scipy, sklearn.linear_model",
    steps: [
      ...GROUPBY_STEPS,
      ...FIGURE_STEPS,
      { name: "sklearn", packages: ["scikit-learn"], code: "from sklearn.linear_model import LinearRegression" },
      {
        name: "fit",
        packages: [],
        code: [
          "model = LinearRegression().fit([[0], [1], [2]], [1, 3, 5])",
          "str(round(float(model.predict([[3]])[0]), 6))",
        ].join("\n"),
      },
    ],
  },
};
