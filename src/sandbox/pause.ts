import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { findCgroupMount, locateCgroup, parseCgroupPaths } from "../host/cgroup-facts.js";
import { parseMountinfo } from "../host/mountinfo.js";
import { readText } from "../host/read-text.js";
import { moveProcesses, thawCgroup, tryWrite } from "./cgroup-tree.js";
import { listMembers } from "./members.js";
import { isFrozen, type Pause, readPause } from "./paused.js";
import { type ProcessId, readProcess, signalProcess } from "./process.js";
import { listOwnCgroups, type Sandbox } from "./sandbox.js";
import { sleepSync } from "./sleep.js";

/**
 * Stops every process of a sandbox where it is: by its cgroup, else by one that is made for it, else, without rights
 * over cgroups, by SIGSTOP, which the processes can see but not refuse.
 * @throws BrigError BRIG_NOT_RUNNING, BRIG_PAUSED, BRIG_CANNOT_PAUSE
 */
export function pauseSandbox(sandbox: Sandbox): void {
  const { id, state } = sandbox;
  if (state === "paused") throw new BrigError(`sandbox ${id} is paused already`, { code: "BRIG_PAUSED", hint: `brig unpause ${id}` });
  if (state !== "running") throw new BrigError(`sandbox ${id} is not running`, { code: "BRIG_NOT_RUNNING", hint: "brig ps lists what runs" });
  if (!pauseByCgroup(sandbox) && !pauseByMadeCgroup(sandbox)) pauseBySignal(sandbox);
}

/** @throws BrigError BRIG_NOT_PAUSED */
export function unpauseSandbox(sandbox: Sandbox): void {
  const { id, state } = sandbox;
  if (state !== "paused") throw new BrigError(`sandbox ${id} is not paused`, { code: "BRIG_NOT_PAUSED", hint: "brig ps shows what is" });
  undoPause(sandbox);
}

/** Lets it run on, and takes away what was made to stop it. Nothing where it is not paused. */
export function undoPause(sandbox: Sandbox): void {
  const pause = readPause(sandbox.folder);
  if (pause?.way === "cgroup") undoCgroup(pause);
  else if (pause) for (const each of pause.stopped.toReversed()) signalProcess(each, "SIGCONT");
  else if (sandbox.state === "paused" && sandbox.first) signalProcess(sandbox.first, "SIGCONT");
  rmSync(`${sandbox.folder}/pause`, { force: true });
}

function undoCgroup({ folder, back }: Extract<Pause, { way: "cgroup" }>): void {
  thawCgroup(folder);
  if (back === undefined) return;
  moveProcesses(folder, back);
  try {
    rmdirSync(folder);
  } catch {
    // gone with its processes, or one that would not leave: the sweep of the ended sandbox removes it
  }
}

/** Before anything is stopped, so that a pause that is broken off can be undone. */
function writePause(sandbox: Sandbox, pause: Pause): void {
  const file = `${sandbox.folder}/pause`;
  writeFileSync(`${file}.new`, JSON.stringify(pause), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function pauseByCgroup(sandbox: Sandbox): boolean {
  const folder = listOwnCgroups(sandbox).find((each) => existsSync(`${each}/cgroup.freeze`) || existsSync(`${each}/freezer.state`));
  return folder !== undefined && freeze(sandbox, { way: "cgroup", folder });
}

function pauseByMadeCgroup(sandbox: Sandbox): boolean {
  return ["", "freezer"].some((controller) => {
    const place = findPlace(sandbox, controller);
    if (place === undefined) return false;
    const folder = `${place}/brig-${sandbox.id}-pause`;
    try {
      mkdirSync(folder);
    } catch {
      return false;
    }
    return freeze(sandbox, { way: "cgroup", folder, back: place });
  });
}

/** The folder of the first process's cgroup in the hierarchy of version 2 (""), or of a controller of version 1. */
function findPlace({ first }: Sandbox, controller: string): string | undefined {
  const mount = findCgroupMount(parseMountinfo(readText("/proc/self/mountinfo") ?? ""), controller);
  const path = parseCgroupPaths(readText(`/proc/${first?.pid ?? 0}/cgroup`) ?? "").get(controller);
  return mount && path !== undefined ? locateCgroup(mount, path) : undefined;
}

function freeze(sandbox: Sandbox, pause: Extract<Pause, { way: "cgroup" }>): boolean {
  writePause(sandbox, pause);
  if (moveAll(sandbox, pause) && setFrozen(pause.folder)) return true;
  undoPause(sandbox);
  return false;
}

/** What was forked while the others were moved is in the old place: again, until all are in the new one. */
function moveAll(sandbox: Sandbox, { folder, back }: { folder: string; back?: string }): boolean {
  if (back === undefined) return true;
  for (let round = 0; round < 20; round++) {
    const inside = new Set((readText(`${folder}/cgroup.procs`) ?? "").split("\n"));
    const outside = listMembers(sandbox).filter(({ pid }) => !inside.has(String(pid)));
    if (outside.length === 0) return true;
    for (const { pid } of outside) if (!tryWrite(`${folder}/cgroup.procs`, String(pid)) && readProcess(pid)) return false;
  }
  return false;
}

function setFrozen(folder: string): boolean {
  const old = existsSync(`${folder}/freezer.state`);
  if (!tryWrite(`${folder}/${old ? "freezer.state" : "cgroup.freeze"}`, old ? "FROZEN" : "1")) return false;
  for (let waited = 0; waited < 2000 && !isFrozen(folder); waited += 5) sleepSync(5);
  return isFrozen(folder);
}

function pauseBySignal(sandbox: Sandbox): void {
  const stopped: ProcessId[] = [];
  for (let round = 0; round < 50; round++) {
    const running = listMembers(sandbox).filter(({ state, pid, start }) => state !== "T" && state !== "t" && !stopped.some((each) => each.pid === pid && each.start === start));
    if (running.length === 0) return awaitStop(sandbox);
    stopped.push(...running.map(({ pid, start }) => ({ pid, start })));
    writePause(sandbox, { way: "signal", stopped });
    for (const each of running) signalProcess(each, "SIGSTOP");
  }
  undoPause(sandbox);
  throw new BrigError(`sandbox ${sandbox.id} forks faster than it can be stopped`, { code: "BRIG_CANNOT_PAUSE", hint: "give it fewer processes (--pids), or pause it as root" });
}

/** A process in a system call stops when it leaves that. */
function awaitStop(sandbox: Sandbox): void {
  for (let waited = 0; waited < 1000 && listMembers(sandbox).some(({ state }) => state === "R" || state === "S"); waited += 5) sleepSync(5);
}
