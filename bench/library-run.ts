/** A sandboxed `true` through the library, from a process that holds 200 MB: library-run.js objects|buffers URL [cold] */
import { fillMemory, serveRuns } from "./serve-runs.js";

interface Library {
  run: (file: string, args: readonly string[], options: { prewarm: boolean }) => Promise<{ exitCode: number | null }>;
}

const { run } = (await import(process.argv[3] as string)) as Library;
const held = fillMemory(process.argv[2]);
const prewarm = process.argv[4] !== "cold";
await serveRuns(async () => {
  const { exitCode } = await run("/bin/true", [], { prewarm });
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
});
process.exit(held.length > 0 ? 0 : 1);
