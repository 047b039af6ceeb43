import { existsSync, lstatSync, writeFileSync, renameSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { openImageStore } from "../image/store/open.js";
import { listUses, releaseImage } from "../image/store/uses.js";
import { BrigError } from "../error/brig-error.js";
import { isAlive, signalProcess } from "../sandbox/process.js";
import { killSandbox } from "../sandbox/kill.js";
import { pauseSandbox, unpauseSandbox } from "../sandbox/pause.js";
import { isLive, type Sandbox } from "../sandbox/sandbox.js";
import { stopSandbox } from "../sandbox/stop.js";
import { removeState } from "../sandbox/sweep.js";
import { awaitEnd, waitForSandbox } from "../sandbox/wait.js";
import type { Container } from "./model.js";
import { findContainerSandbox, readRestart, readState } from "./status.js";
import { removeFolder } from "./remove-folder.js";
import { dropName, readContainers } from "./store.js";
import { removeVolume } from "./volumes.js";

const DEFAULT_STOP_S = 10;

/** Asks the payload to end, kills it when it has not within the time (seconds), and keeps its policy from starting it again. */
export async function stopContainer(folder: string, container: Container, seconds = container.Config.StopTimeout ?? DEFAULT_STOP_S): Promise<void> {
  markStopped(folder, container);
  const { waiting } = readRestart(join(folder, container.Id));
  if (waiting) signalProcess(waiting, "SIGKILL");
  const sandbox = findContainerSandbox(container);
  if (sandbox) await stopSandbox(sandbox, seconds < 0 ? 2 ** 31 : seconds * 1000);
}

function markStopped(folder: string, { Id }: Container): void {
  try {
    writeFileSync(join(folder, Id, "stopped"), "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Whether a container that does not run should, by its restart policy, when the host has started anew. */
export function wantsToRun(folder: string, container: Container): boolean {
  const { Name } = container.HostConfig.RestartPolicy;
  if (Name !== "always" && Name !== "unless-stopped") return false;
  const { Status } = readState(folder, container);
  if (Status !== "exited") return false;
  return Name === "always" || !existsSync(join(folder, container.Id, "stopped"));
}

/** Sends the payload a signal; SIGKILL and the stop signal keep the policy from starting it again. */
export function killContainer(folder: string, container: Container, signal: number): void {
  const sandbox = requireRunning(container);
  markStopped(folder, container);
  killSandbox(sandbox, signal);
}

export function requireRunning(container: Container): Sandbox {
  const sandbox = findContainerSandbox(container);
  if (sandbox && isLive(sandbox)) return sandbox;
  throw new BrigError(`Container ${container.Id} is not running`, { code: "BRIG_NOT_RUNNING", exitCode: 1, hint: `brig docker start ${container.Name}` });
}

export const pauseContainer = (container: Container): void => pauseSandbox(requireRunning(container));
export const unpauseContainer = (container: Container): void => unpauseSandbox(requireRunning(container));

/** The exit code of the run that goes on, or of the last one. */
export async function waitForContainer(folder: string, container: Container): Promise<number> {
  const sandbox = findContainerSandbox(container);
  return sandbox && isLive(sandbox) ? await waitForSandbox(sandbox) : readState(folder, container).ExitCode;
}

export interface RemoveOptions {
  force?: boolean;
  /** Volumes without a name go too. */
  volumes?: boolean;
}

/** @throws BrigError BRIG_RUNNING */
export async function removeContainer(folder: string, container: Container, { force = false, volumes = false }: RemoveOptions = {}): Promise<void> {
  const { Status } = readState(folder, container);
  if (Status !== "exited" && Status !== "created" && !force)
    throw new BrigError(`cannot remove container "/${container.Name}": container is ${Status}: stop the container before removing or force remove`, { code: "BRIG_RUNNING", exitCode: 1, hint: `brig docker rm -f ${container.Name}` });
  if (force) await stopContainer(folder, container, 0);
  const sandbox = findContainerSandbox(container);
  if (sandbox) {
    await awaitEnd(sandbox, 5000);
    removeState(sandbox);
  }
  await buryContainer(folder, container);
  if (container.ImageId !== "") releaseImage(await openImageStore(), container.Id);
  if (volumes || container.HostConfig.AutoRemove) for (const name of listAnonymous(container)) removeVolume(name);
}

function listAnonymous({ Mounts }: Container): string[] {
  return Mounts.flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined && /^[0-9a-f]{64}$/.test(Name) ? [Name] : []));
}

/** Out of the way first, so that nobody finds half of it. */
async function buryContainer(folder: string, { Id, Name }: Container): Promise<void> {
  const grave = join(folder, `.dead-${Id}`);
  try {
    renameSync(join(folder, Id), grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  dropName(folder, Name);
  await removeFolder(grave);
}

/** Removes what killed commands and monitors have left: half-removed folders, and containers that were to go when they end. */
export async function sweepContainers(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) if (name.startsWith(".dead-") || isHalfMade(folder, name)) await removeFolder(join(folder, name));
  const containers = readContainers(folder);
  await releaseImages(folder, containers);
  for (const container of containers)
    if (container.HostConfig.AutoRemove && readState(folder, container).Status === "exited" && isOld(container)) await removeContainer(folder, container);
}

const MAKING_MS = 10_000;

/** Its maker was killed: it takes milliseconds from the folder to the file that makes it a container. */
function isHalfMade(folder: string, name: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(name) || existsSync(join(folder, name, "container.json"))) return false;
  const is = lstatSync(join(folder, name), { throwIfNoEntry: false });
  return is !== undefined && Date.now() - is.mtimeMs > MAKING_MS;
}

/** Images that containers used which are gone, however they went. */
async function releaseImages(folder: string, containers: Container[]): Promise<void> {
  if (!existsSync(join(dirname(folder), "images"))) return;
  const store = await openImageStore();
  const known = new Set(containers.map(({ Id }) => Id));
  for (const { user, maker } of listUses(store)) if (/^[0-9a-f]{64}$/.test(user) && !known.has(user) && !isAlive(maker)) releaseImage(store, user);
}

/** Its monitor may be about to remove it. */
function isOld({ State }: Container): boolean {
  return Date.now() - Date.parse(State.StartedAt) > 10_000;
}
