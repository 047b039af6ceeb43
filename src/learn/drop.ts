/**
 * Takes out of a list what `works` does without, in halves first, so that a long list of which little is needed takes few
 * tries. `works` holds for the whole list. What stays cannot be taken out one by one.
 */
export async function dropUnneeded<T>(items: readonly T[], works: (kept: readonly T[]) => Promise<boolean>): Promise<T[]> {
  let kept = [...items];
  const tryWithout = async (part: readonly T[]): Promise<void> => {
    if (part.length === 0) return;
    const less = kept.filter((item) => !part.includes(item));
    if (await works(less)) {
      kept = less;
      return;
    }
    if (part.length === 1) return;
    const half = Math.ceil(part.length / 2);
    await tryWithout(part.slice(0, half));
    await tryWithout(part.slice(half));
  };
  for (let before = Infinity; kept.length > 0 && kept.length < before; ) {
    before = kept.length;
    await tryWithout(kept);
  }
  return kept;
}
