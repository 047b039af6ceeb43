import { closeSync, writeSync } from "node:fs";

/**
 * Gives an encoded plan to the launcher. Where the launcher itself started this process (BRIG_ENTRY_FD) it gets the
 * plan on that descriptor and runs it when this process has ended; otherwise it is started here with the same
 * standard streams. Returns the status to exit with.
 */
export async function handOverPlan(bytes: Uint8Array, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const descriptor = readEntryDescriptor(env);
  if (descriptor === undefined) {
    const { runPlan } = await import("./run-plan.js"); // brings node:child_process, which takes 3 ms to load
    return await runPlan(bytes);
  }
  writeAll(descriptor, bytes);
  closeSync(descriptor);
  return 0;
}

/** The descriptor for the plan that the launcher left to this process, if it did. */
export function readEntryDescriptor(env: NodeJS.ProcessEnv): number | undefined {
  const text = env["BRIG_ENTRY_FD"];
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
}
