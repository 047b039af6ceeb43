import { createInterface } from "node:readline";

/** Answers a driver's requests (see driver.ts) in Node: each run is one call, timed to its end. */
export async function serveRuns(run: () => Promise<void>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    await run(); // one that does not count
    const times: string[] = [];
    for (let left = Number(line); left > 0; left--) {
      const start = process.hrtime.bigint();
      await run();
      times.push((Number(process.hrtime.bigint() - start) / 1000).toFixed(1));
    }
    process.stdout.write(`${times.join(" ")}\n`);
  }
}

/** Fills the heap as a grown server's is: Node's own spawn forks, and so copies the tables of all these pages. */
export function fillHeap(megabytes: number): unknown[] {
  const objects = Array.from({ length: megabytes * 1024 }, (_, at) => ({ at, text: `object ${at}`, values: Array.from({ length: 112 }, () => at) }));
  const used = process.memoryUsage().heapUsed / 1024 / 1024;
  if (used < megabytes * 0.8) throw new Error(`the heap holds ${Math.round(used)} MB and not ${megabytes}`);
  return objects;
}
