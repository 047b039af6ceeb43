/** Levenshtein's distance with swaps of neighbours counted as one, over two short words. */
function measureDistance(a: string, b: string): number {
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (old[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(change, (old[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j] ?? 0, (older[j - 2] ?? 0) + 1);
    }
    [older, old] = [old, row];
  }
  return old[b.length] ?? 0;
}

/** The known word that somebody most likely meant, case aside, or none when nothing is near. */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let distance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= distance) continue;
    const measured = measureDistance(wanted, candidate.toLowerCase());
    if (measured < distance) [best, distance] = [candidate, measured];
  }
  return best;
}
