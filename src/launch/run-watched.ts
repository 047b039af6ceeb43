import type { Duplex } from "node:stream";
import { EventReader, type WatchEvent } from "../plan/watch/events.js";
import { holdPlan, type LauncherStreams, runLauncher } from "./run-plan.js";

/** The launcher's descriptor that a watched plan reports on: behind 0-2 and the plan. */
export const REPORT_FD = 4;

/**
 * Runs a plan whose spec has `watch: { fd: REPORT_FD }`, and hands on each call that is told. Returns the status when
 * both the sandbox and its reports have ended.
 */
export async function runWatchedPlan(bytes: Uint8Array, onEvent: (event: WatchEvent) => void, streams?: LauncherStreams): Promise<number> {
  return holdPlan(bytes, async (plan) => {
    let told: Promise<void> = Promise.resolve();
    const status = await runLauncher(["--plan-fd", "3"], [plan, "pipe"], {
      ...(streams ? { streams } : {}),
      onStart: (child) => void (told = readEvents(child.stdio[REPORT_FD] as Duplex, onEvent)),
    });
    await told;
    return status;
  });
}

function readEvents(reports: Duplex, onEvent: (event: WatchEvent) => void): Promise<void> {
  const reader = new EventReader();
  return new Promise((resolve, reject) => {
    reports.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk).forEach(onEvent);
      } catch (error) {
        reject(error as Error);
      }
    });
    reports.on("error", () => resolve()).on("close", () => resolve()).on("end", () => resolve());
  });
}
