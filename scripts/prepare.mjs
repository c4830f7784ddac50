/** Distributions of the cache, prepared for being served, as `taipan prepare` and `taipan bake` do it. */
import { join } from "node:path";
import { bake } from "../cli/bake.mjs";
import { progressOn, size } from "../cli/output.mjs";
import { prepare as prepareFolder } from "../cli/prepare.mjs";
import { withLock } from "./common/lock.mjs";
import { cache, distributionFolder, preparedFolder } from "./common/paths.mjs";
import { Problem } from "./common/problem.mjs";
import { chromiumPath } from "./setup/chromium.mjs";

/** Where `npm start` and the measurements serve the distribution as it was released, for packages that are not prepared. */
export const AS_RELEASED = "../as-released/";

/**
 * What the lesson and the measurements import. Drawing a figure reads fonts and modules that importing matplotlib does
 * not.
 */
export const LESSON = {
  version: "0.28.3",
  packages: ["numpy", "pandas", "matplotlib"],
  prefetch: ["numpy", "pandas"],
  exercise: {
    filename: "figure.py",
    source: [
      "import io, matplotlib",
      "matplotlib.use('agg')",
      "from matplotlib import pyplot",
      "pyplot.plot([1, 2, 3])",
      "pyplot.title('text')",
      "pyplot.savefig(io.BytesIO(), format='png')",
    ].join("\n"),
  },
  /** What its image has seen; nothing of it stays in variables. */
  program: {
    filename: "warm_up.py",
    source: `
def warm_up():
    import io
    import pandas as pd
    from matplotlib import pyplot

    pd.DataFrame({"a": [1, 2, 1], "b": [3, 4, 5]}).groupby("a").b.sum()
    pyplot.plot([1, 2, 3])
    pyplot.title("text")
    pyplot.savefig(io.BytesIO(), format="png")
    pyplot.close()

warm_up()
del warm_up`,
  },
};

/**
 * Prepares a distribution of the cache, unless that has been done from the same things.
 *
 * @param {string} out the folder to write
 * @param {{ version: string, packages: string[] } & object} options besides those of `cli/prepare.mjs`
 * @returns {Promise<string>} the folder
 */
export async function prepare(out, { version, ...options }) {
  const progress = progressOn(process.stdout);
  const work = () =>
    prepareFolder({ out, distribution: distributionFolder(version), compress: "fast", progress, ...options });
  const { isFresh } = await withLock(join(cache, "locks", `prepare-${version}.lock`), work);
  progress.say(`✓ Python ${version}, prepared${isFresh ? "" : " before"}`);
  return out;
}

/** The folder that the lesson and the measurements are served from; other packages come from beside it. */
export const prepareLesson = () =>
  prepare(preparedFolder(LESSON.version), { ...LESSON, keepAll: true, baseURL: AS_RELEASED });

/**
 * Puts an image into the folder of {@link prepareLesson}, where there is a browser to make it. The lesson does without one.
 */
export async function bakeLesson() {
  const progress = progressOn(process.stdout);
  const browser = await chromiumPath();
  const { packages, program, version } = LESSON;
  const work = () => bake({ out: preparedFolder(version), packages, program, browser, compress: "fast", progress });
  try {
    const { bytes, isFresh } = await withLock(join(cache, "locks", `prepare-${version}.lock`), work);
    progress.say(`✓ Image, ${size(bytes)}${isFresh ? "" : ", baked before"}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    progress.say(`! No image is made for the lesson: ${error.message}`);
  }
}

/** The folder with scikit-learn besides, for the measurements of all packages. */
export const prepareAll = () =>
  prepare(preparedFolder(`${LESSON.version}-all`), {
    ...LESSON,
    packages: [...LESSON.packages, "scikit-learn"],
    exercise: {
      filename: "exercise.py",
      source: `${LESSON.exercise.source}\nfrom sklearn.linear_model import LinearRegression`,
    },
    keepAll: true,
    baseURL: AS_RELEASED,
  });
