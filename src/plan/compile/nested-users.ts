import { CLONE } from "../format.js";
import { addStep, type Context, takeSlot } from "./context.js";
import { findCurrentIds } from "./identity.js";

const POINTER = "/annotations/dev.brig.nestedUsers";
const O_PATH_DIRECTORY = 0o10000000 | 0o200000;

/** Modes as they are asked for, and the host's /proc, while it can be reached: the new root may have none. */
export function prepareNestedUsers(context: Context): number {
  const { extension } = context;
  if (extension.exactModes) addStep(context, "child", { op: "UMASK", mask: 0 }, "/annotations/dev.brig.exactModes");
  if (!extension.nestedUsers) return -1;
  const slot = takeSlot(context);
  addStep(context, "child", { op: "OPEN", slot, path: "/proc", flags: O_PATH_DIRECTORY }, POINTER);
  return slot;
}

/** When nothing is left to be mounted: from the inner user namespace nothing of the mounts can be changed any more. */
export function compileNestedUsers(context: Context, proc: number): void {
  const { nestedUsers, joinUsersLast, noUserNamespaces } = context.extension;
  const current = findCurrentIds(context);
  if (nestedUsers) {
    const uidMap = `${nestedUsers.uid} ${current?.uid ?? 0} 1\n`;
    const gidMap = `${nestedUsers.gid} ${current?.gid ?? 0} 1\n`;
    addStep(context, "child", { op: "NEST_USERS", proc, last: nestedUsers.last ? 1 : 0, uidMap, gidMap }, POINTER);
  }
  if (joinUsersLast !== undefined) joinLast(context, joinUsersLast);
  if (noUserNamespaces) addStep(context, "child", { op: "NO_USERS" }, "/annotations/dev.brig.noUserNamespaces");
}

function joinLast(context: Context, path: string): void {
  const pointer = "/annotations/dev.brig.joinUsersLast";
  const slot = takeSlot(context);
  addStep(context, "host", { op: "OPEN", slot, path, flags: 0 }, pointer);
  addStep(context, "child", { op: "SETNS", slot, flags: CLONE.user }, pointer);
}
