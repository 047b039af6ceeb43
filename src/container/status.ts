import { findRunFolder } from "../launch/run-folder.js";
import { type ExitRecord, readExit, readStateFile } from "../sandbox/record.js";
import { isAlive, type ProcessId } from "../sandbox/process.js";
import { isLive, readSandbox, type Sandbox } from "../sandbox/sandbox.js";
import { openRunFolder } from "../sandbox/run-folder.js";
import { type Container, NEVER } from "./model.js";

/** Docker's words for it. */
export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** What a container is at this moment. */
export interface ContainerState {
  Status: ContainerStatus;
  /** The first process's, as the host counts it; 0 when there is none. */
  Pid: number;
  ExitCode: number;
  OOMKilled: boolean;
  StartedAt: string;
  FinishedAt: string;
  RestartCount: number;
  Error: string;
  sandbox?: Sandbox;
}

/** The sandbox of a container has the first twelve digits of its id. */
export function sandboxIdOf({ Id }: Pick<Container, "Id">): string {
  return Id.slice(0, 12);
}

/** A container's sandbox, running or ended; undefined where the run folder has none. */
export function findContainerSandbox(container: Pick<Container, "Id">): Sandbox | undefined {
  const folder = openRunFolder(findRunFolder(process.geteuid?.() ?? -1));
  return folder === undefined ? undefined : readSandbox(folder, sandboxIdOf(container));
}

/** @param folder that of all containers */
export function readState(folder: string, container: Container): ContainerState {
  const own = `${folder}/${container.Id}`;
  const { State } = container;
  const sandbox = findContainerSandbox(container);
  const { count, waiting } = readRestart(own);
  const base = { Pid: 0, ExitCode: 0, OOMKilled: false, StartedAt: State.StartedAt, FinishedAt: NEVER, RestartCount: count, Error: State.Error };
  if (sandbox && isLive(sandbox))
    return { ...base, Status: sandbox.state === "paused" ? "paused" : "running", Pid: sandbox.first?.pid ?? 0, StartedAt: new Date(sandbox.createdMs).toISOString(), sandbox };
  if (State.StartedAt === NEVER) return { ...base, Status: "created" };
  // the container's own file outlives the run folder, which is gone when the host starts again
  return { ...base, ...describeEnd(sandbox?.exit ?? readExit(own), sandbox?.createdMs ?? Date.parse(State.StartedAt)), Status: waiting ? "restarting" : "exited", ...(sandbox ? { sandbox } : {}) };
}

/** Who was killed together with its monitor has left no record. */
function describeEnd(exit: ExitRecord | undefined, beganMs: number): Pick<ContainerState, "ExitCode" | "OOMKilled" | "FinishedAt" | "StartedAt"> {
  const FinishedAt = new Date(beganMs + (exit?.wallUs ?? 0) / 1000).toISOString();
  return { ExitCode: exit?.exitCode ?? 137, OOMKilled: exit?.oomKilled ?? false, StartedAt: new Date(beganMs).toISOString(), FinishedAt };
}

/** `restart`, as the monitor wrote it: "COUNT PID START". */
export function readRestart(own: string): { count: number; waiting?: ProcessId } {
  const [count, pid, start] = (readStateFile(own, "restart") ?? "").trim().split(" ");
  if (pid === undefined || start === undefined) return { count: 0 };
  const waiting = { pid: Number(pid), start };
  return { count: Number(count), ...(isAlive(waiting) ? { waiting } : {}) };
}
