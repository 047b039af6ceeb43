import { closeSync, constants, mkdirSync, openSync, readFileSync, unlinkSync } from "node:fs";
import { describeErrno } from "../../error/errno.js";
import { parseMountinfo } from "../../host/mountinfo.js";
import { netnsError, netnsPath, RUN_FOLDER } from "./names.js";

/** Makes /run/netns where it is missing. */
export function makeRunFolder(): void {
  try {
    mkdirSync(RUN_FOLDER, { mode: 0o755 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw netnsError(`mkdir ${RUN_FOLDER} failed: ${describeErrno(error as NodeJS.ErrnoException)}`);
  }
}

/** Whether a folder is a mount of its own that tells other mount namespaces of its changes. */
export function isSharedMount(folder: string, mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): boolean {
  const line = mountinfo.split("\n").findLast((some) => parseMountinfo(some)[0]?.point === folder);
  return line !== undefined && / shared:\d+/.test(line.slice(0, line.indexOf(" - ")));
}

/** Whether something is mounted at a path. */
export function isMountPoint(path: string): boolean {
  return parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).some(({ point }) => point === path);
}

/**
 * The file on which a namespace will be mounted.
 * @throws BrigError in ip's words; a name that exists is taken
 */
export function createNameFile(name: string): void {
  try {
    closeSync(openSync(netnsPath(name), constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0));
  } catch (error) {
    throw netnsError(`Cannot create namespace file "${netnsPath(name)}": ${describeErrno(error as NodeJS.ErrnoException)}`);
  }
}

export function removeNameFile(name: string): void {
  try {
    unlinkSync(netnsPath(name));
  } catch (error) {
    throw netnsError(`Cannot remove namespace file "${netnsPath(name)}": ${describeErrno(error as NodeJS.ErrnoException)}`);
  }
}
