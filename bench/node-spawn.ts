/** Node's own child_process.spawn of plain `true`, from a process whose heap holds 200 MB. */
import { spawn } from "node:child_process";
import { fillHeap, serveRuns } from "./serve-runs.js";

const heap = fillHeap(200);
await serveRuns(async () => {
  const child = spawn("/bin/true", [], { stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve() : reject(new Error(`true ended with ${status}`))));
  });
});
process.exitCode = heap.length > 0 ? 0 : 1; // the heap is needed to the end
