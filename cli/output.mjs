/** What the command says: a bar on a terminal, lines elsewhere, a table at the end. */

const WIDTH = 24;
/** Milliseconds between two pictures of the bar. */
const PAUSE = 80;

/** Bytes the way people say them. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

/**
 * Reports on steps that take a while.
 *
 * @param {{ isTTY?: boolean, write(text: string): unknown }} stream
 */
export function progressOn(stream) {
  let last = 0;
  const clear = () => stream.isTTY && stream.write("\r\x1b[2K");
  return {
    /** Starts a step; what comes back is told how far it is, and when it has ended. */
    step(name) {
      const start = performance.now();
      if (!stream.isTTY) stream.write(`→ ${name}\n`);
      const draw = (done, total, what) => {
        const share = total > 0 ? Math.min(1, done / total) : 0;
        const filled = Math.round(share * WIDTH);
        const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
        const line = `  ${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${name}${what ? `: ${what}` : ""}`;
        stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      };
      if (stream.isTTY) draw(0, 1);
      return {
        update(done, total, what = "") {
          if (!stream.isTTY || performance.now() - last < PAUSE) return;
          last = performance.now();
          draw(done, total, what);
        },
        end(note = "") {
          clear();
          const seconds = ((performance.now() - start) / 1000).toFixed(1);
          stream.write(`✓ ${name}${note ? `: ${note}` : ""} (${seconds} s)\n`);
        },
      };
    },
    say(text) {
      clear();
      stream.write(`${text}\n`);
    },
  };
}

/**
 * @param {string[]} head
 * @param {string[][]} rows the first column is text, the others are numbers
 */
export function table(head, rows) {
  const filled = rows.filter((row) => row.length > 0);
  const widths = head.map((title, column) => Math.max(title.length, ...filled.map((row) => row[column].length)));
  const line = (cells) =>
    `  ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ")}`;
  const rule = `  ${widths.map((width) => "─".repeat(width)).join("  ")}`;
  return [line(head), rule, ...rows.map((row) => (row.length > 0 ? line(row) : rule))].join("\n");
}
