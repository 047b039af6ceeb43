import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BrigError } from "../error/brig-error.js";
import { findLauncher } from "../launch/find-launcher.js";
import { isAlive } from "./process.js";
import { isLive, readSandbox, type Sandbox } from "./sandbox.js";

const SIGKILLED = 137;

/** Waits until the sandbox and its supervisor are gone. False when they are not within the time. */
export async function awaitEnd(sandbox: Sandbox, timeoutMs = Infinity): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (let pause = 2; !hasEnded(sandbox); pause = Math.min(pause * 1.5, 50)) {
    if (Date.now() >= end) return false;
    await sleep(Math.min(pause, Math.max(1, end - Date.now())));
  }
  return true;
}

/** The supervisor removes the cgroups behind the exit status: it is over when it is gone. */
function hasEnded({ runFolder, id, supervisor }: Sandbox): boolean {
  if (supervisor) return !isAlive(supervisor);
  const now = readSandbox(runFolder, id);
  return !now || !isLive(now);
}

/**
 * The exit code of the sandbox, as a shell says it, when it has ended; 137 when its supervisor was killed.
 * @throws BrigError BRIG_NO_STATUS when it ended and left none
 */
export async function waitForSandbox(sandbox: Sandbox): Promise<number> {
  if (sandbox.exit) return sandbox.exit.exitCode;
  if (sandbox.state === "dead") return SIGKILLED;
  // the monitor tells its clients, even when the folder goes together with the sandbox
  const told = existsSync(`${sandbox.folder}/attach`) ? await askMonitor(`${sandbox.folder}/attach`) : undefined;
  if (told !== undefined) return told;
  await awaitEnd(sandbox);
  const now = readSandbox(sandbox.runFolder, sandbox.id);
  if (now?.exit) return now.exit.exitCode;
  if (now) return SIGKILLED;
  throw new BrigError(`sandbox ${sandbox.id} has ended and left no exit status`, { code: "BRIG_NO_STATUS", hint: "brig run --keep leaves one until brig rm" });
}

function askMonitor(socket: string): Promise<number | undefined> {
  const child = spawn(findLauncher(), ["--wait", socket], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(/^\d+\n$/.test(text) ? Number(text) : undefined));
  });
}
