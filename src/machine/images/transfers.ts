import { lstatSync, readdirSync } from "node:fs";
import { isAlive, type ProcessId, signalProcess } from "../../sandbox/process.js";
import { imageError } from "./image-error.js";
import { findPool } from "./pool.js";

/** An import, download or clone that is under way: the process that does it. */
export interface Transfer {
  id: number;
  name: string;
  /** ISO 8601. */
  since: string;
  process: ProcessId;
}

/** Told by the drafts that they write. */
export function listTransfers(pool = findPool()): Transfer[] {
  const found = new Map<number, Transfer>();
  for (const entry of readNames(pool)) {
    const [, name, pid, start] = /^\.#brig-(.*?)(?:\.download)?\.(\d+)\.(\d+)(?:\.in|\.out)?$/.exec(entry) ?? [];
    if (name === undefined || pid === undefined || start === undefined || !isAlive({ pid: Number(pid), start })) continue;
    const since = lstatSync(`${pool}/${entry}`, { throwIfNoEntry: false })?.birthtime.toISOString() ?? "-";
    found.set(Number(pid), { id: Number(pid), name, since, process: { pid: Number(pid), start } });
  }
  return [...found.values()];
}

/** Ends it; what it has written goes with it, or with the next command. */
export function cancelTransfer(id: string): void {
  const transfer = listTransfers().find((one) => String(one.id) === id);
  if (!transfer || !signalProcess(transfer.process, "SIGTERM")) throw imageError(`Could not cancel transfer: No transfer by id ${id}`, "BRIG_NO_SUCH_TRANSFER");
}

function readNames(pool: string): string[] {
  try {
    return readdirSync(pool);
  } catch {
    return [];
  }
}
