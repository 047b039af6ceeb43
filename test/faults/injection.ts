/** One call of the launcher made to fail, and what became of the sandbox: for test/fixtures/faults/fault.c. */
import { execFileSync } from "node:child_process";
import { chownSync, closeSync, openSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { encodePlan } from "../../src/plan/encode.js";
import { readSyscalls } from "../../src/plan/seccomp/tables.js";
import { readRecords, type Told } from "../walls/records.js";
import { compileMarked } from "../walls/marked-plan.js";
import { type Identity, type Ran, runProcess, type Stage } from "../walls/stage.js";

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
const names = new Map([...readSyscalls("x64")].map(([name, number]) => [number, name]));

export interface Call {
  process: number;
  number: number;
  name: string;
  /** The path of openat and unlinkat, the first argument of others. */
  argument: string;
}

export interface Outcome extends Ran, Told {
  /** The call that was made to fail; undefined: it was not reached. */
  call: Call | undefined;
  /** What is left of it: state folders, cgroups. */
  left: string[];
}

export interface Bench {
  /** Every call of every process up to its exec or end. */
  listCalls(): Promise<Call[]>;
  inject(process: number, number: number, error: number | "kill"): Promise<Outcome>;
  /** Nothing made to fail, and nobody watching. */
  runPlain(): Promise<Outcome>;
  /** Removes what is left of a run that could not. */
  clean(): void;
}

/** A plan for the program that reports its walls, compiled by `brig plan --out`, with a run folder and cgroups of its own. */
export async function openBench(stage: Stage, who: Identity, name: string, options: string[] = []): Promise<Bench> {
  const fault = await compileFault(stage);
  const walls = await stage.fixture("walls");
  const words = NAMESPACES.map((type) => `${type}:${statSync(`/proc/self/ns/${type}`).ino}`);
  const { plan, folder, listLeft } = await compileMarked(stage, who, name, options, [walls, ...words]);
  const bytes = encodePlan(plan);

  let count = 0;
  const run = async (wrap: (report: string) => string[]): Promise<Outcome> => {
    const report = join(folder, `report-${++count}`);
    const statusFile = join(folder, `status-${count}`);
    const status = openSync(statusFile, "w+");
    // Each its own: one that looks stale is compiled again and written anew.
    const file = join(folder, `plan-${count}`);
    writeFileSync(file, bytes);
    chownSync(file, who.uid, who.uid);
    try {
      const ran = await runProcess([...wrap(report), stage.brig, "--plan", file, "--status", "3"], who, { cwd: stage.project(who), env: { PATH: process.env["PATH"] ?? "" } }, { stdio: ["pipe", "pipe", "pipe", status], timeoutMs: 10_000 });
      return { ...ran, ...readRecords(readFileSync(statusFile)), call: readReport(report)[0], left: listLeft() };
    } finally {
      closeSync(status);
      rmSync(statusFile, { force: true });
      rmSync(report, { force: true });
      rmSync(file, { force: true });
    }
  };
  return {
    runPlain: () => run(() => []),
    inject: (process, number, error) => run((report) => [fault, report, String(process), String(number), String(error)]),
    listCalls: async () => {
      const report = join(folder, "calls");
      const file = join(folder, "plan");
      writeFileSync(file, bytes);
      await runProcess([fault, report, "0", "0", "1", stage.brig, "--plan", file], who, { cwd: stage.project(who), env: {} }, {});
      return readReport(report);
    },
    clean: () => listLeft().forEach((path) => (path.startsWith("/sys/") ? rmdirSync(path) : rmSync(path, { recursive: true }))),
  };
}

async function compileFault(stage: Stage): Promise<string> {
  const out = join(stage.folder, "bin/fault");
  execFileSync(process.env["CC"] ?? "cc", ["-static", "-O1", "-o", out, resolve("test/fixtures/faults/fault.c")], { stdio: "inherit" });
  return out;
}

function readReport(file: string): Call[] {
  try {
    const lines = readFileSync(file, "utf8").trim().split("\n").filter(Boolean);
    return lines.map((line) => {
      const [process, number, call, ...argument] = line.split(" ");
      return { process: Number(process), number: Number(number), name: names.get(Number(call)) ?? String(call), argument: argument.join(" ") };
    });
  } catch {
    return [];
  }
}
