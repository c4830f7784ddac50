/** The measurements as a table for people. */
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
  { key: "bytes", name: "bytes moved, MB", format: megabytes },
  { key: "image", name: "of them the image, MB", format: megabytes },
  { key: "heap", name: "CPython heap, MB", format: megabytes },
  { key: "tab", name: "memory of the tab, MB", format: megabytes },
  { key: "files", name: "loader and archives, MB", format: megabytes },
  { key: "modulesLinked", name: "side modules linked", format: String },
  { key: "filesInflated", name: "files inflated", format: String },
];

/** Rows of text in columns as wide as needed. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join("   "))
    .join("\n");
}

/**
 * @param {Record<string, Record<string, Record<string, number>[]>>} visits by profile ("fresh", "warm") and loader
 * @returns {{ text: string, summaries: object }}
 */
export function tabulate(visits) {
  const summaries = {};
  const parts = [];
  for (const [profile, byLoader] of Object.entries(visits)) {
    const loaders = Object.keys(byLoader);
    const ours = loaders.filter((name) => name.startsWith("taipan"));
    const stock = loaders.filter((name) => name.startsWith("stock"));
    const compared = ours.flatMap((one) => stock.map((other) => [one, other]));
    const head = [`${profile} profile`, ...loaders, ...compared.map((pair) => pair.join(" / "))];
    const rows = [head];
    for (const { key, name, format } of MEASURES) {
      const found = Object.fromEntries(
        loaders.map((loader) => [loader, summary(byLoader[loader].map((run) => run[key]))]),
      );
      if (loaders.every((loader) => !found[loader])) continue;
      summaries[profile] = { ...summaries[profile], [key]: found };
      const cell = (one) => (one ? `${format(one.median)} (${format(one.least)}–${format(one.most)})` : "–");
      const ratio = ([one, other]) =>
        found[one] && found[other] ? (found[one].median / found[other].median).toFixed(2) : "–";
      rows.push([name, ...loaders.map((loader) => cell(found[loader])), ...compared.map(ratio)]);
    }
    parts.push(columns(rows));
  }
  return { text: parts.join("\n\n"), summaries };
}
