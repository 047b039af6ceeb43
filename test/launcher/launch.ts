/** Small plans for the launcher, and the launcher started on them: no spec, no compiler between. */
import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { encodePlan } from "../../src/plan/encode.js";
import { CLONE, RUN } from "../../src/plan/format.js";
import type { Step } from "../../src/plan/operations.js";
import { makeEmptyPlan, type Plan, type RunParameters } from "../../src/plan/plan.js";

export const LAUNCHER = process.env["BRIG_LAUNCHER"] ?? resolve("dist/brig");

export interface PlanWish {
  argv: string[];
  env?: string[];
  /** RUN.*; RUN.INIT by default. */
  flags?: number;
  /** CLONE.*; a new pid namespace by default. */
  cloneFlags?: number;
  run?: Partial<RunParameters>;
  host?: Step[];
  parent?: Step[];
  child?: Step[];
  payload?: Step[];
  init?: Step[];
  /** Descriptors of the payload that are its terminal. */
  pty?: number;
  build?: string;
  witnesses?: Plan["witnesses"];
}

/** A plan that runs a program beside the host's files, with an init in a pid namespace unless it wishes otherwise. */
export function makePlan(wish: PlanWish): Plan {
  const plan = makeEmptyPlan();
  plan.run = { ...plan.run, flags: wish.flags ?? RUN.INIT, cloneFlags: wish.cloneFlags ?? CLONE.pid, ...wish.run };
  plan.steps.host.push(...(wish.host ?? []));
  plan.steps.parent.push(...(wish.parent ?? []));
  if (wish.pty !== undefined) plan.steps.child.push({ op: "PTY", mask: wish.pty, host: 1 });
  plan.steps.child.push(...(wish.child ?? []));
  plan.steps.payload.push({ op: "SESSION" }, ...(wish.payload ?? []));
  plan.steps.init.push(...(wish.init ?? []));
  plan.steps.payload.push({ op: "EXEC", candidates: [wish.argv[0] ?? ""], argv: wish.argv, environment: wish.env ?? ["PATH=/usr/bin:/bin"], saying: "" });
  if (plan.run.flags & RUN.PLAIN_TTY) plan.steps.payload = plan.steps.payload.filter((step) => step.op !== "SESSION");
  plan.build = wish.build ?? plan.build;
  plan.witnesses = wish.witnesses ?? [];
  return plan;
}

/** A folder that goes when the test ends, with everything in it and every sandbox whose state it holds. */
export function makeFolder(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-launcher-"));
  t.after(() => {
    killSandboxes(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function killSandboxes(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (basename(file) !== "process" || existsSync(join(folder, dirname(file), "exit"))) continue;
    const [, , supervisor, started] = readFileSync(join(folder, file), "utf8").trim().split(" ");
    if (started === readStartTime(Number(supervisor))) process.kill(Number(supervisor), "SIGKILL");
  }
}

/** Field 22 of /proc/PID/stat, or undefined when there is no such process. */
function readStartTime(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "").trim().split(" ")[19];
  } catch {
    return undefined;
  }
}

export function writePlan(folder: string, wish: PlanWish): string {
  const file = join(folder, `plan-${process.hrtime.bigint()}`);
  writeFileSync(file, encodePlan(makePlan(wish)));
  return file;
}

export function shell(script: string): string[] {
  return ["/bin/sh", "-c", script];
}

/** Runs it to its end. */
export function launch(t: { after(fn: () => void): void }, wish: PlanWish, options: { input?: string; status?: boolean } = {}): SpawnSyncReturns<string> {
  const file = writePlan(makeFolder(t), wish);
  const status = options.status ? ["--status", "3"] : [];
  return spawnSync(LAUNCHER, ["--plan", file, ...status], {
    input: options.input ?? "", encoding: "utf8", timeout: 20_000, stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
}

/** Starts it; it is killed when the test ends. */
export function start(t: { after(fn: () => void): void }, wish: PlanWish): ChildProcess {
  const child = spawn(LAUNCHER, ["--plan", writePlan(makeFolder(t), wish)], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => void child.kill("SIGKILL"));
  return child;
}

/** Resolves with what the child exits with, as a shell says it. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((done) => child.once("exit", (code, signal) => done(code ?? (signal === "SIGKILL" ? 137 : -1))));
}

/** Resolves when the stream has said the text. */
export function untilSaid(stream: NodeJS.ReadableStream, text: string): Promise<string> {
  let said = "";
  return new Promise((done, fail) => {
    stream.on("data", (data: Buffer) => {
      said += data.toString();
      if (said.includes(text)) done(said);
    });
    stream.on("end", () => fail(new Error(`the stream ended before "${text}" with: ${said}`)));
  });
}

/** Resolves when the condition holds; throws when it does not within the time. */
export async function until(what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
