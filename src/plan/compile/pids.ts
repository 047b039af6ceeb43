import type { Context } from "./context.js";
import { originOfSetting, refuse } from "./context.js";
import { findCurrentIds } from "./identity.js";
import { isNew } from "./namespaces.js";
import type { Setting } from "./resources.js";

const POINTER = "/linux/resources/pids/limit";

/** The limit on processes as a cgroup's setting, where it is not RLIMIT_NPROC's business. */
export function planPids(context: Context): Setting[] {
  const limit = context.spec.linux?.resources?.pids?.limit;
  if (limit === undefined || usesProcessLimit(context)) return [];
  const file = { file: "pids.max", value: limit <= 0 ? "max" : String(limit) };
  return [{ controller: "pids", pointer: POINTER, old: file, unified: file }];
}

/**
 * RLIMIT_NPROC does it, without a cgroup: since Linux 5.14 it is counted for each user namespace, and within one it
 * binds every process of the user. It is no limit where the payload could become another user, or is root outside.
 * A limit that was asked for by name gets a cgroup where there is one: it counts whatever happens inside.
 */
export function usesProcessLimit(context: Context): boolean {
  const limit = context.spec.linux?.resources?.pids?.limit;
  if (limit === undefined || limit <= 0) return false;
  const possible = mayUseProcessLimit(context);
  const hasCgroup = context.host.cgroup.controllers["pids"]?.writable === true;
  const kind = originOfSetting(context.extension, POINTER)?.kind;
  if (kind !== "default" && hasCgroup) return false;
  if (possible || hasCgroup) return possible;
  throw refuse(context.extension, POINTER, "BRIG_CANNOT_LIMIT", "the number of processes cannot be limited: there is no pids cgroup to be had, and no user namespace whose one user could be counted", "go without the limit (--pids none), or give the sandbox a user namespace");
}

function mayUseProcessLimit(context: Context): boolean {
  const { spec, host, identity } = context;
  const [major, minor] = host.kernel;
  const user = spec.process?.user?.uid ?? findCurrentIds(context)?.uid;
  const mapping = identity.uids.find(({ containerID, size }) => user !== undefined && user >= containerID && user < containerID + size);
  if (!isNew(context, "user") || !mapping || user === undefined) return false;
  if (mapping.hostID + user - mapping.containerID === 0) return false;
  if (major < 5 || (major === 5 && minor < 14)) return false;
  return identity.map === "self" || !mayChangeUser(context);
}

function mayChangeUser(context: Context): boolean {
  const { process } = context.spec;
  return process?.noNewPrivileges !== true || Object.values(process.capabilities ?? {}).some((set: string[]) => set.includes("CAP_SETUID"));
}
