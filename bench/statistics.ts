/** The value below which `part` (0 to 1) of the values lie: the nearest rank, so always one that was measured. */
export function findPercentile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(part * sorted.length) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] as number;
}

export function findMedian(values: readonly number[]): number {
  return findPercentile(values, 0.5);
}

export interface Ratio {
  /** Of the rounds' ratios: each is the median of ours over the median of theirs in the same round. */
  median: number;
  p10: number;
  p90: number;
  /** Microseconds: the medians and p10 of all runs. */
  ours: { median: number; p10: number };
  theirs: { median: number; p10: number };
}

/** Compares what ran side by side: `ours[i]` and `theirs[i]` are the times of round i. */
export function compareRounds(ours: readonly (readonly number[])[], theirs: readonly (readonly number[])[]): Ratio {
  const ratios = ours.map((times, round) => findMedian(times) / findMedian(theirs[round] ?? []));
  return {
    median: findMedian(ratios),
    p10: findPercentile(ratios, 0.1),
    p90: findPercentile(ratios, 0.9),
    ours: summarise(ours.flat()),
    theirs: summarise(theirs.flat()),
  };
}

function summarise(times: readonly number[]): { median: number; p10: number } {
  return { median: findMedian(times), p10: findPercentile(times, 0.1) };
}
