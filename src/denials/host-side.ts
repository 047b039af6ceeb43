import { accessSync, constants, lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import type { Want } from "./denial.js";
import { folderOf } from "./inside.js";

const { R_OK, W_OK, X_OK } = constants;

/** Whether the caller could have done this on the host, where there are no walls. */
export function worksOnHost(path: string, want: Want, { nofollow = false, creates = false } = {}): boolean {
  const stat = look(path, nofollow);
  switch (want) {
    case "look":
      return stat !== undefined;
    case "read":
      return stat ? may(path, R_OK) : creates && mayFill(path);
    case "execute":
      return stat !== undefined && may(path, X_OK);
    case "write":
      return stat ? may(path, W_OK) && !(stat.isDirectory() && creates) : creates && mayFill(path);
    case "connect":
      return (stat?.isSocket() ?? false) && may(path, W_OK);
    case "create":
      return stat === undefined && mayFill(path);
    case "remove":
      return stat !== undefined && mayFill(path);
    case "replace":
      return mayFill(path);
    case "change":
      return stat !== undefined && (process.geteuid?.() === 0 || stat.uid === process.geteuid?.());
  }
}

function look(path: string, nofollow: boolean): Stats | undefined {
  try {
    return nofollow ? lstatSync(path) : statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether entries of the folder that holds this path can be made and removed. */
function mayFill(path: string): boolean {
  return may(folderOf(path), W_OK | X_OK);
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** The path without links; itself where it is not there. */
export function findReal(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

export function isDevice(path: string): boolean {
  const stat = look(path, false);
  return stat !== undefined && (stat.isCharacterDevice() || stat.isBlockDevice());
}

export function isLink(path: string): boolean {
  return look(path, true)?.isSymbolicLink() ?? false;
}

/** The nearest folder at or above a path that is there. */
export function findExisting(path: string): string {
  let at = path;
  while (at !== "/" && look(at, false) === undefined) at = folderOf(at);
  return at;
}
