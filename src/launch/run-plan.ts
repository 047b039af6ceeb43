import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { findLauncher } from "./find-launcher.js";

/** Runs a plan in a launcher of its own with this process's standard streams, or others, and waits for its end. */
export async function runPlan(bytes: Uint8Array, streams?: LauncherStreams): Promise<number> {
  return holdPlan(bytes, (plan) => runLauncher(["--plan-fd", "3"], [plan], streams ? { streams } : {}));
}

/** Does something with a descriptor of an encoded plan that nobody else can open. */
export async function holdPlan<T>(bytes: Uint8Array, use: (plan: number) => Promise<T>): Promise<T> {
  const plan = openNameless(bytes);
  try {
    return await use(plan);
  } finally {
    closeSync(plan);
  }
}

/** What the payload gets as descriptors 0, 1 and 2. */
export type LauncherStreams = [stdin: number | "ignore", stdout: number | "ignore", stderr: number | "ignore"];

export interface LauncherWish {
  streams?: LauncherStreams;
  onStart?: (child: ChildProcess) => void;
}

/**
 * Runs the launcher with this process's standard streams, or others, and these descriptors from 3 on ("pipe": one end of
 * a socket, whose other is the child's `stdio`), and waits for its end.
 */
export async function runLauncher(words: string[], descriptors: (number | "pipe")[], { streams = [0, 1, 2], onStart }: LauncherWish = {}): Promise<number> {
  const env = { ...process.env };
  delete env["BRIG_ENTRY_FD"];
  const child = spawn(findLauncher(), words, { stdio: [...streams, ...descriptors], env });
  onStart?.(child);
  const stop = passSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    stop();
  }
}

/** The terminal sends its signals to the launcher too; those that only this process got are passed on. */
function passSignals(child: { kill(signal: NodeJS.Signals): boolean }): () => void {
  const ignored = (): void => undefined;
  const passed = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", ignored).on("SIGQUIT", ignored).on("SIGTERM", passed).on("SIGHUP", passed);
  return () => process.off("SIGINT", ignored).off("SIGQUIT", ignored).off("SIGTERM", passed).off("SIGHUP", passed);
}

/** A file without a name, which nobody else can open: its only descriptor goes to the launcher. */
function openNameless(bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "brig-plan-"));
  try {
    const file = join(folder, "plan");
    writeFileSync(file, bytes, { flag: "wx", mode: 0o600 });
    // Opened anew: the launcher reads from the descriptor's place on, which is the beginning.
    return openSync(file, "r");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
