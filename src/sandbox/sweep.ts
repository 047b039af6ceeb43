import { lstatSync, readdirSync, readlinkSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { basename } from "node:path";
import { destroyCgroup, thawCgroup } from "./cgroup-tree.js";
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
