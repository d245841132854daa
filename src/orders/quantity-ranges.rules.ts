/** Whole numbers from `from` to `to`, both included. */
export interface QuantityRange {
  readonly from: number;
  readonly to: number;
}

/** The same numbers in ascending ranges that neither overlap nor touch. */
export function mergeRanges(ranges: readonly QuantityRange[]): QuantityRange[] {
  const merged: QuantityRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to + 1) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** Every sum, up to `most`, of one number of each. */
export function addRanges(
  some: readonly QuantityRange[],
  others: readonly QuantityRange[],
  most: number,
): QuantityRange[] {
  return mergeRanges(
    some
      .flatMap((a) => others.map((b) => ({ from: a.from + b.from, to: Math.min(a.to + b.to, most) })))
      .filter(({ from, to }) => from <= to),
  );
}

/** The largest number that is at most `limit`, or null. The ranges ascend. */
export function largestUpTo(ranges: readonly QuantityRange[], limit: number): number | null {
  const range = ranges.findLast(({ from }) => from <= limit);
  return range === undefined ? null : Math.min(range.to, limit);
}
