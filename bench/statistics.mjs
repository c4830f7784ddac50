/** Medians and ranges. */

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns {{ median: number, least: number, most: number, count: number } | undefined} */
export function summary(numbers) {
  const known = numbers.filter((number) => Number.isFinite(number));
  if (known.length === 0) return undefined;
  return { median: median(known), least: Math.min(...known), most: Math.max(...known), count: known.length };
}
