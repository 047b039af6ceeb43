import { existsSync, lstatSync, readdirSync, readlinkSync, renameSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { basename } from "node:path";
import { makeCgroupReader } from "../host/cgroup-facts.js";
import { placeCgroup } from "../host/cgroup.js";
import { readHostFacts } from "../host/facts.js";
import { destroyCgroup, thawCgroup } from "./cgroup-tree.js";
import { releaseHostLinks } from "./host-links.js";
import { listBelow, readCgroupProcesses } from "./members.js";
import { readPause } from "./paused.js";
import { isAlive, readProcess, signalProcess } from "./process.js";
import { readProcessFile, readRecord } from "./record.js";
import { isId, listOwnCgroups, readSandbox, type Sandbox } from "./sandbox.js";

/** A folder that is being removed, and by whom: ".dead-ID.PID.START". */
const BURIED = /^\.dead-(.+)\.(\d+)\.(\d+)$/;

/**
 * Removes what supervisors that were killed have left: processes, cgroups, names, folders. Of a sandbox that was to be
 * kept its record stays. One that is just being made is never touched, and what another command is removing is left
 * to that, unless it died over it.
 */
export function sweepSandboxes(runFolder: string): void {
  for (const name of readdirSync(runFolder)) {
    const buried = BURIED.exec(name);
    if (buried) takeOver(runFolder, name, buried as unknown as [string, string, string, string]);
    else if (isId(name)) sweepSandbox(readSandbox(runFolder, name));
  }
  removeForsaken(runFolder);
}

/** Longer than any launcher needs from a cgroup's making to its sandbox's folder, on a host that is hard pressed. */
const MAKING_MS = 10_000;

/**
 * Cgroups that a launcher made and, killed on the spot, never put a sandbox into: nobody's state names them. One with
 * processes cannot be removed (rmdir(2) says EBUSY), another user's neither.
 */
export function removeForsaken(runFolder: string, parents: readonly string[] = listCgroupParents(), now = Date.now()): void {
  for (const parent of parents)
    for (const folder of listBelow(parent)) {
      const id = /^brig-([0-9a-f]{12})$/.exec(basename(folder))?.[1];
      if (id === undefined || existsSync(`${runFolder}/${id}`)) continue;
      const stat = lstatSync(folder, { throwIfNoEntry: false });
      if (stat && stat.uid === process.geteuid?.() && now - stat.ctimeMs > MAKING_MS && readCgroupProcesses(folder).length === 0) tryRemove(folder);
    }
}

function tryRemove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // somebody has come into it, or removed it
  }
}

/** Where brig makes cgroups for this user's sandboxes. */
function listCgroupParents(): string[] {
  const { cgroup, euid } = readHostFacts();
  const { places } = placeCgroup(cgroup, ["pids", "memory", "cpu"], makeCgroupReader(), euid);
  return [...new Set(places.map(({ parent }) => parent))];
}

function sweepSandbox(sandbox: Sandbox | undefined): void {
  if (sandbox?.state !== "dead") return;
  if (sandbox.record?.keep) emptyOut(sandbox, sandbox.folder);
  else removeState(sandbox);
}

function takeOver(runFolder: string, name: string, [, id, pid, start]: [string, string, string, string]): void {
  if (!isAlive({ pid: Number(pid), start })) bury(runFolder, `${runFolder}/${name}`, id);
}

/**
 * Removes a sandbox that runs no more, with its name. Only one of several commands that try does it: the one whose
 * rename succeeds, since a name that was set free may be another sandbox's a moment later.
 */
export function removeState({ runFolder, folder, id }: Pick<Sandbox, "runFolder" | "folder" | "id">): void {
  bury(runFolder, folder, id);
}

function bury(runFolder: string, folder: string, id: string): void {
  const grave = `${runFolder}/.dead-${id}.${process.pid}.${readProcess(process.pid)?.start ?? "0"}`;
  try {
    renameSync(folder, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const record = readRecord(grave);
  emptyOut({ id, record, first: readProcessFile(grave)?.first }, grave);
  releaseName(`${runFolder}/names`, id);
  rmSync(grave, { recursive: true, force: true });
}

/** Processes and cgroups. */
function emptyOut(sandbox: Pick<Sandbox, "id" | "record" | "first">, folder: string): void {
  if (sandbox.first) signalProcess(sandbox.first, "SIGKILL");
  const pause = readPause(folder);
  if (pause?.way === "cgroup") thawCgroup(pause.folder);
  const made = pause?.way === "cgroup" && pause.back !== undefined ? [pause.folder] : [];
  // a cgroup with a name of its own may be another sandbox's by now
  for (const cgroup of [...made, ...listOwnCgroups(sandbox)]) if (basename(cgroup).includes(sandbox.id)) destroyCgroup(cgroup);
  if (pause) rmSync(`${folder}/pause`, { force: true });
  releaseHostLinks(sandbox);
}

/** The name may be in the record, but what counts is who is linked. */
function releaseName(names: string, id: string): void {
  if (!lstatSync(names, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(names)) {
    try {
      if (readlinkSync(`${names}/${name}`) === id) unlinkSync(`${names}/${name}`);
    } catch {
      // gone, or no link
    }
  }
}
