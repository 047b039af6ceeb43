import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Megabytes (10^6 bytes) that a foreground `brig run` keeps beside its payload while that runs: the proportional set
 * size (smaps_rollup's Pss, proc(5)) of every process but the payload.
 */
export async function measureMemory(brig: string, env: NodeJS.ProcessEnv): Promise<number> {
  const run = ["run", "--", "/bin/sleep", "60"];
  await endRun(await startRun(brig, run, env)); // the second time there is no Node to wait for
  const child = await startRun(brig, run, env);
  try {
    const own = listTree(child.pid as number).filter((pid) => readProcess(pid, "comm").trim() !== "sleep");
    return own.map(readPss).reduce((sum, kilobytes) => sum + kilobytes, 0) * 1024 / 1e6;
  } finally {
    await endRun(child);
  }
}

async function startRun(brig: string, words: string[], env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(brig, words, { stdio: "ignore", env });
  for (let tries = 0; tries < 500; tries++) {
    if (listTree(child.pid as number).some((pid) => readProcess(pid, "comm").trim() === "sleep")) return child;
    await sleep(10);
  }
  await endRun(child);
  throw new Error(`${brig} ${words.join(" ")} did not come to run within 5 seconds`);
}

/** Its supervisor passes the signal on and leaves when the sandbox is gone. */
async function endRun(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it has ended
  }
}

/** A process and everything below it. */
function listTree(pid: number): number[] {
  const children = readProcess(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(listTree)];
}

function readPss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readProcess(pid, "smaps_rollup"))?.[1] ?? 0);
}
