/** The candidate that a mistyped word most likely means, or undefined when none is near: for "did you mean …?". */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = measureDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance, with a swap of two neighbours as one step (optimal string alignment). */
export function measureDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++)
      current.push(measureStep(a, b, row, column, above, before, current[column - 1]!));
    [before, above] = [above, current];
  }
  return above[b.length]!;
}

function measureStep(a: string, b: string, row: number, column: number, above: number[], before: number[], left: number) {
  const same = a[row - 1] === b[column - 1];
  const step = Math.min(above[column]! + 1, left + 1, above[column - 1]! + (same ? 0 : 1));
  const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
  return swapped ? Math.min(step, before[column - 2]! + 1) : step;
}
