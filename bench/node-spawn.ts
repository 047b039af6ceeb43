/** Node's own child_process.spawn of plain `true`, from a process that holds 200 MB: node-spawn.js objects|buffers */
import { spawn } from "node:child_process";
import { fillMemory, serveRuns } from "./serve-runs.js";

const held = fillMemory(process.argv[2]);
await serveRuns(async () => {
  const child = spawn("/bin/true", [], { stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve() : reject(new Error(`true ended with ${status}`))));
  });
});
process.exitCode = held.length > 0 ? 0 : 1; // it is needed to the end
