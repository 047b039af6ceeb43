import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** Between two runs: a server has other things to do, and the library makes the next sandbox meanwhile. */
const PAUSE_MS = 10;

/** Answers a driver's requests (see driver.ts) in Node: each run is one call, timed to its end. `after` each, what is not timed. */
export async function serveRuns(run: () => Promise<void>, after: () => Promise<void> = async () => undefined): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    await run(); // one that does not count
    await after();
    await pause(PAUSE_MS);
    const times: string[] = [];
    for (let left = Number(line); left > 0; left--) {
      const start = process.hrtime.bigint();
      await run();
      times.push((Number(process.hrtime.bigint() - start) / 1000).toFixed(1));
      await after();
      await pause(PAUSE_MS);
    }
    process.stdout.write(`${times.join(" ")}\n`);
  }
}

/**
 * Fills the memory as a grown server's is, with objects or with buffers. Node's own spawn forks, and so copies the page
 * tables of the buffers; V8 keeps its own heap out of a fork (MADV_DONTFORK).
 */
export function fillMemory(kind: string | undefined, megabytes = 200): unknown[] {
  if (kind === "buffers") return Array.from({ length: megabytes }, () => Buffer.alloc(2 ** 20, 1));
  if (kind === "objects") return Array.from({ length: megabytes * 1024 }, (_, at) => ({ at, text: `object ${at}`, values: Array.from({ length: 112 }, () => at) }));
  throw new RangeError(`objects or buffers, not ${kind}`);
}
