import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { readHostFacts } from "../../host/facts.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { holdPlan } from "../../launch/run-plan.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import { buildEnclosedSpec, type EnclosedCommand } from "./enclosed-spec.js";

/** How a program ended, with the last lines that it printed. */
export interface EnclosedEnd {
  /** 128+N when signal N ended it. */
  status: number;
  lastLines: string[];
}

const KEPT_LINES = 40;

/**
 * Runs a program in mounts and processes of its own (see buildEnclosedSpec) until its end, and hands on each line that
 * it prints. It dies with this process.
 *
 * @param signal ends it
 */
export async function runEnclosed(command: EnclosedCommand, onLine: (line: string) => void = () => undefined, signal?: AbortSignal): Promise<EnclosedEnd> {
  const host = readHostFacts();
  const plan = encodePlan(compilePlan(buildEnclosedSpec(command, host), host, { words: command.args, cwd: process.cwd() }));
  return holdPlan(plan, (fd) => runLauncher(fd, onLine, signal));
}

function runLauncher(plan: number, onLine: (line: string) => void, signal?: AbortSignal): Promise<EnclosedEnd> {
  const env = { ...process.env };
  delete env["BRIG_ENTRY_FD"];
  // a group of its own: Ctrl-C is for brig to pass on, when it is ready to clean up
  const child = spawn(findLauncher(), ["--plan-fd", "3"], { stdio: ["ignore", "pipe", "pipe", plan], env, detached: true });
  const lastLines: string[] = [];
  const keep = (line: string): void => {
    if (lastLines.push(line) > KEPT_LINES) lastLines.shift();
    onLine(line);
  };
  const read = [child.stdout!, child.stderr!].map((stream) => {
    const lines = createInterface({ input: stream, crlfDelay: Infinity }).on("line", keep);
    return new Promise<void>((resolve) => lines.on("close", resolve));
  });
  const end = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, by) => {
      signal?.removeEventListener("abort", end);
      const status = code ?? 128 + (by ? constants.signals[by] : 0);
      void Promise.all(read).then(() => resolve({ status, lastLines }));
    });
  });
}
