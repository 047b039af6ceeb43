import { opendirSync, readdirSync, statSync } from "node:fs";
import { describeErrno } from "../../error/errno.js";
import { netnsError, netnsPath, RUN_FOLDER } from "./names.js";

/** The names in /run/netns, in the folder's order as ip prints them; none where there is no folder. */
export function listNames(): string[] {
  try {
    return [...readUnsorted(RUN_FOLDER)];
  } catch {
    return [];
  }
}

// readdirSync would sort.
function* readUnsorted(folder: string): Generator<string> {
  const open = opendirSync(folder);
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) yield entry.name;
  } finally {
    open.closeSync();
  }
}

/** The names of the network namespace that a process is in. `pid`: a number or "self". */
export function identify(pid: string): string[] {
  const wanted = statNamespace(`/proc/${pid}/ns/net`);
  return listNames().filter((name) => findNamespace(netnsPath(name)) === wanted);
}

/** The processes whose network namespace has this name. */
export function listPids(name: string): string[] {
  const wanted = statNamespace(netnsPath(name));
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && findNamespace(`/proc/${pid}/ns/net`) === wanted);
}

/** What identifies the namespace behind a file, or undefined when it is gone or not for us. */
function findNamespace(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function statNamespace(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    throw netnsError(`Cannot open network namespace: ${describeErrno(error as NodeJS.ErrnoException)}`);
  }
}
