import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { BrigError } from "../error/brig-error.js";

const PATIENCE_S = 20;

/**
 * Runs something while nobody else holds the lock of this file (flock(2)): neither another brig nor one of its scripts.
 * The lock goes with this process. Its folder is made where it is missing.
 *
 * @throws BrigError BRIG_LOCKED, BRIG_NO_TOOL, BRIG_CANNOT_WRITE
 */
export function withLock<T>(file: string, run: () => T): T {
  const descriptor = openLock(file);
  try {
    takeLock(descriptor, file);
    return run();
  } finally {
    closeSync(descriptor);
  }
}

function openLock(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new BrigError(`cannot open the lock ${file}: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", exitCode: 1, cause: error });
  }
}

// Node has no flock(2). The lock belongs to the open file, which flock(1) shares with this process and leaves locked.
function takeLock(descriptor: number, file: string): void {
  const { status, error } = spawnSync("flock", ["-x", "-w", String(PATIENCE_S), "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  if (status === 0) return;
  if (error) throw new BrigError(`flock cannot be run: ${error.message}`, { code: "BRIG_NO_TOOL", exitCode: 1, hint: "apt-get install util-linux" });
  throw new BrigError(`another brig holds ${file}`, { code: "BRIG_LOCKED", exitCode: 1, hint: "wait for it, or see who: fuser -v " + file });
}
