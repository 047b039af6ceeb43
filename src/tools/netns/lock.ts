import { closeSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { LINK_FOLDER } from "./link-name.js";
import { netnsError } from "./names.js";

const FILE = `${LINK_FOLDER}/lock`;
const PAUSE_MS = 20;
const PATIENCE_MS = 10_000;

/** Runs something while no other brig changes links. A lock whose owner died is taken over. */
export function withLock<T>(run: () => T): T {
  takeLock();
  try {
    return run();
  } finally {
    unlinkSync(FILE);
  }
}

function takeLock(): void {
  try {
    mkdirSync(LINK_FOLDER, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw netnsError(`cannot make ${LINK_FOLDER}: ${(error as Error).message}`, 1, "links are for root to make");
  }
  for (let waited = 0; !tryLock(); waited += PAUSE_MS) {
    if (waited >= PATIENCE_MS) throw netnsError(`another brig holds ${FILE}`, 1, "wait for it, or see who: cat " + FILE);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function tryLock(): boolean {
  try {
    const file = openSync(FILE, "wx", 0o600);
    writeSync(file, `${process.pid} ${startOf(process.pid)}`);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    removeDeadLock();
    return false;
  }
}

function removeDeadLock(): void {
  try {
    const [pid, start] = readFileSync(FILE, "utf8").split(" ");
    if (pid && start && startOf(Number(pid)) !== start) unlinkSync(FILE);
  } catch {
    // Gone in between: the next try tells.
  }
}

/** Field 22 of /proc/PID/stat: with the pid it names a process for good. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
