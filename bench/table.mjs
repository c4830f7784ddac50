/** The measurements as a table for people. */
import { PROGRAM_STEPS } from "./pages/programs.js";
import { summary } from "./statistics.mjs";

const seconds = (milliseconds) => (milliseconds / 1000).toFixed(2);
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** What is measured, in the order of the table. */
export const MEASURES = [
  { key: "ready", name: "until ready, s", format: seconds },
  { key: "sum", name: "until first 1 + 1, s", format: seconds },
  { key: "numpy", name: "until import numpy, s", format: seconds },
  { key: "pandas", name: "until import pandas, s", format: seconds },
  { key: "groupby", name: "until first groupby, s", format: seconds },
  { key: "matplotlib", name: "until import matplotlib, s", format: seconds },
  { key: "figure", name: "until first figure, s", format: seconds },
  { key: "sklearn", name: "until import sklearn, s", format: seconds },
  { key: "fit", name: "until first fit, s", format: seconds },
  ...PROGRAM_STEPS.map(({ name }) => ({ key: name, name: `${name}, s`, format: seconds })),
  { key: "bytes", name: "bytes moved, MB", format: megabytes },
  { key: "image", name: "of them the image, MB", format: megabytes },
  { key: "heap", name: "CPython heap, MB", format: megabytes },
  { key: "tab", name: "memory of the tab, MB", format: megabytes },
  { key: "files", name: "loader and archives, MB", format: megabytes },
  { key: "modulesLinked", name: "side modules linked", format: String },
  { key: "filesInflated", name: "files inflated", format: String },
];

/** Nothing is no part of nothing. */
const ratio = (one, other) => (one && other.median > 0 ? (one.median / other.median).toFixed(2) : "–");

/** Rows of text in columns as wide as needed. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join("   "))
    .join("\n");
}

/**
 * A table of medians and ranges for each state, and below it one of ratios for each stock loader.
 *
 * @param {Record<string, Record<string, Record<string, number>[]>>} visits by state ("fresh", "again", "restarted") and loader
 * @returns {{ text: string, summaries: object }}
 */
export function tabulate(visits) {
  const summaries = {};
  const parts = [];
  for (const [state, byLoader] of Object.entries(visits)) {
    const loaders = Object.keys(byLoader);
    const ours = loaders.filter((name) => name.startsWith("taipan"));
    const stock = loaders.filter((name) => name.startsWith("stock"));
    const found = (key) =>
      Object.fromEntries(loaders.map((loader) => [loader, summary(byLoader[loader].map((run) => run[key]))]));
    const measured = MEASURES.map((measure) => ({ ...measure, found: found(measure.key) })).filter((measure) =>
      loaders.some((loader) => measure.found[loader]),
    );
    summaries[state] = Object.fromEntries(measured.map((measure) => [measure.key, measure.found]));
    const cell = (one, format) => (one ? `${format(one.median)} (${format(one.least)}–${format(one.most)})` : "–");
    const rows = measured.map(({ name, format, found }) => [
      name,
      ...loaders.map((loader) => cell(found[loader], format)),
    ]);
    parts.push(columns([[state, ...loaders], ...rows]));
    if (ours.length === 0) continue;
    for (const other of stock) {
      const ratios = measured
        .filter(({ found }) => found[other])
        .map(({ name, found }) => [
          // A ratio has no unit.
          name.replace(/, \w+$/, ""),
          ...ours.map((one) => ratio(found[one], found[other])),
        ]);
      parts.push(columns([[`${state}, ratio to ${other}`, ...ours], ...ratios]));
    }
  }
  return { text: parts.join("\n\n"), summaries };
}
