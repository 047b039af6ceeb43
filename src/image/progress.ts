/** What pulls, pushes and loads tell while they are at it: docker's own words. */
export type ProgressEvent =
  /** A line of its own: "latest: Pulling from library/busybox". */
  | { kind: "line"; text: string }
  /** A layer, by the first twelve digits of its digest. */
  | { kind: "layer"; id: string; status: string; current?: number; total?: number };

export type OnProgress = (event: ProgressEvent) => void;

/** The first twelve digits. */
export function shortId(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

/** Runs work for each item, so many at a time; the first failure ends the others through `signal`. */
export async function forEachAtOnce<T>(items: readonly T[], most: number, signal: AbortSignal | undefined, work: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> {
  const failed = new AbortController();
  const both = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  let first: { error: unknown } | undefined;
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < items.length && !both.aborted) {
      try {
        await work(items[next++]!, both);
      } catch (error) {
        first ??= { error };
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, run));
  signal?.throwIfAborted();
  if (first) throw first.error;
}
