import { spawn } from "node:child_process";
import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { findLauncher } from "./find-launcher.js";

/** A flock(2) that is held: its end is the end of this process at the latest. */
export interface FileLock {
  /** The locked file, open for reading and writing. */
  readonly fd: number;
  /** Lets go. With `remove` the file goes too: who waits for it opens a new one. */
  release(options?: { remove?: boolean }): void;
}

export interface LockWish {
  shared?: boolean;
  /** Do not wait: undefined is the answer when somebody else holds it. */
  try?: boolean;
  signal?: AbortSignal | undefined;
}

const WOULD_BLOCK = 1;

/**
 * Locks a file, which is made where it is missing (mode 0600), against other processes and other opens in this one.
 * Node has no flock(2): the launcher locks the open file, which it inherits, and ends; the lock stays with the file.
 *
 * @throws BrigError BRIG_CANNOT_LOCK; the signal's reason when it is aborted
 */
export async function lockFile(path: string, wish: LockWish & { try: true }): Promise<FileLock | undefined>;
export async function lockFile(path: string, wish?: LockWish): Promise<FileLock>;
export async function lockFile(path: string, wish: LockWish = {}): Promise<FileLock | undefined> {
  for (;;) {
    wish.signal?.throwIfAborted();
    const fd = openLock(path);
    try {
      if (!(await callFlock(fd, path, wish))) {
        closeSync(fd);
        return undefined;
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    if (isStillThere(fd, path)) return { fd, release: ({ remove } = {}) => release(fd, path, remove === true) };
    closeSync(fd); // whoever held it has removed it
  }
}

function openLock(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw new BrigError(`cannot open the lock ${path}: ${(error as Error).message}`, { code: "BRIG_CANNOT_LOCK", cause: error });
  }
}

function callFlock(fd: number, path: string, { shared = false, try: tries = false, signal }: LockWish): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(findLauncher(), ["--flock", shared ? "shared" : "exclusive", tries ? "try" : "wait"], { stdio: ["ignore", "ignore", "inherit", fd] });
    const abort = (): void => void child.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    child.on("error", reject).on("close", (code) => {
      signal?.removeEventListener("abort", abort);
      if (code === 0) resolve(true);
      else if (signal?.aborted) reject(signal.reason as Error);
      else if (code === WOULD_BLOCK && tries) resolve(false);
      else reject(new BrigError(`cannot lock ${path}`, { code: "BRIG_CANNOT_LOCK", hint: "does the file system know flock(2)?" }));
    });
  });
}

function isStillThere(fd: number, path: string): boolean {
  const held = fstatSync(fd);
  const there = statSync(path, { throwIfNoEntry: false });
  return there?.ino === held.ino && there.dev === held.dev;
}

function release(fd: number, path: string, remove: boolean): void {
  if (remove && isStillThere(fd, path)) unlinkSync(path);
  closeSync(fd);
}
