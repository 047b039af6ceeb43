import { closeSync, writeSync } from "node:fs";
import { readEntryDescriptor } from "./hand-over.js";

/**
 * Lets the launcher attach its standard streams to the sandbox behind a monitor's socket. As with a plan, the launcher
 * that started this process does it when this process has ended, so that it has the terminal. The status to exit with.
 */
export async function handOverAttach(socket: string, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const descriptor = readEntryDescriptor(env);
  if (descriptor === undefined) {
    const { runLauncher } = await import("./run-plan.js");
    return await runLauncher(["--attach", socket], []);
  }
  writeSync(descriptor, `#attach ${socket}\n`);
  closeSync(descriptor);
  return 0;
}
