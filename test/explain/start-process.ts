import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";

/** Whether a program is installed and can do this here. */
export function canRun(file: string, ...args: string[]): boolean {
  return spawnSync(file, args, { stdio: "ignore" }).status === 0;
}

/**
 * Starts a command whose last process is `sleep 60`, and returns the pid of that sleep, found among the descendants.
 * All of them are killed at the test's end.
 */
export async function startSleep(t: TestContext, file: string, args: string[], options: { stdio?: "ignore" | (number | "ignore")[]; uid?: number; gid?: number } = {}): Promise<number> {
  const child = spawn(file, args, { stdio: "ignore", ...options });
  t.after(() => killTree(child));
  await once(child, "spawn");
  for (let tries = 0; tries < 200; tries++) {
    const pid = listTree(child.pid!).find((candidate) => readName(candidate) === "sleep");
    if (pid !== undefined) return pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${file} ${args.join(" ")} started no sleep`);
}

/** The sleep first, so that a supervisor above it ends by itself and cleans up; then whatever is left. */
async function killTree(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
  const tree = listTree(child.pid!);
  killProcess(tree.at(-1)!);
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
  if (child.exitCode === null && child.signalCode === null) for (const pid of tree.reverse()) killProcess(pid);
  await ended;
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** A process and its descendants. */
function listTree(pid: number): number[] {
  return [pid, ...readChildren(pid).flatMap(listTree)];
}

function readChildren(pid: number): number[] {
  return (readOptional(`/proc/${pid}/task/${pid}/children`) ?? "").split(" ").filter(Boolean).map(Number);
}

/** The name after exec: a child of unshare or bwrap is called as they are until then. */
function readName(pid: number): string | undefined {
  return readOptional(`/proc/${pid}/comm`)?.trim();
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
