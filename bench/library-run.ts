/** A sandboxed `true` through the library, from a process whose heap holds 200 MB. The library's URL is the argument. */
import { fillHeap, serveRuns } from "./serve-runs.js";

interface Library {
  run: (file: string, args: readonly string[]) => Promise<{ exitCode: number | null }>;
}

const { run } = (await import(process.argv[2] as string)) as Library;
const heap = fillHeap(200);
await serveRuns(async () => {
  const { exitCode } = await run("/bin/true", []);
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
});
process.exit(heap.length > 0 ? 0 : 1);
