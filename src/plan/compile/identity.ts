import type { HostFacts } from "../../host/facts.js";
import type { Extension } from "../../spec/extension.js";
import type { IdMapping, Spec, User } from "../../spec/oci.js";
import { addStep, type Context, refuse } from "./context.js";
import { dropsGroupsOutside, type Namespaces } from "./namespaces.js";

/**
 * How the ids of a new user namespace are mapped (user_namespaces(7)): "self" by the process, one id to its own;
 * "direct" by the launcher, which is root; "tools" by newuidmap and newgidmap, from the user's subordinate ids;
 * "none": not at all.
 */
export interface Identity {
  map: "none" | "self" | "direct" | "tools";
  uids: IdMapping[];
  gids: IdMapping[];
}

export function readIdentity(spec: Spec, extension: Extension, host: HostFacts, namespaces: Namespaces): Identity {
  const uids = spec.linux?.uidMappings ?? [];
  const gids = spec.linux?.gidMappings ?? [];
  if (namespaces.user !== "new") return { map: "none", uids: [], gids: [] };
  checkUserNamespaces(extension, host);
  if (uids.length === 0 && gids.length === 0) return { map: "none", uids, gids };
  if (mapsOnly(uids, host.euid) && mapsOnly(gids, host.egid) && extension.setgroups !== "allow") return { map: "self", uids, gids };
  if (host.capabilities.has("CAP_SETUID") && host.capabilities.has("CAP_SETGID")) return { map: "direct", uids, gids };
  checkSubordinate(extension, host, uids, gids);
  return { map: "tools", uids, gids };
}

function checkUserNamespaces(extension: Extension, host: HostFacts): void {
  if (host.userNamespaces) return;
  const block = host.userNamespaceBlock;
  throw refuse(extension, "/linux/namespaces", "BRIG_NO_USER_NAMESPACE", `no user namespace can be made here${block ? `: ${block.what}` : ""}`, block?.fix ?? "run as root and leave the user namespace out");
}

function mapsOnly(mappings: IdMapping[], id: number): boolean {
  const [mapping] = mappings;
  return mappings.length === 0 || (mappings.length === 1 && mapping?.size === 1 && mapping.hostID === id);
}

function checkSubordinate(extension: Extension, host: HostFacts, uids: IdMapping[], gids: IdMapping[]): void {
  const check = (mappings: IdMapping[], own: number, ranges: HostFacts["subuid"], pointer: string, file: string): void => {
    for (const { hostID, size } of mappings) {
      if (hostID === own && size === 1) continue;
      if (ranges.some(({ start, count }) => hostID >= start && hostID + size <= start + count)) continue;
      throw refuse(extension, pointer, "BRIG_CANNOT_MAP_IDS", `the ids ${hostID} to ${hostID + size - 1} are not this user's to map: ${file} gives no such range`, `usermod --add-sub${file.endsWith("uid") ? "uids" : "gids"} 100000-165535 USER`);
    }
  };
  check(uids, host.euid, host.subuid, "/linux/uidMappings", "/etc/subuid");
  check(gids, host.egid, host.subgid, "/linux/gidMappings", "/etc/subgid");
}

/** The maps of a new user namespace. */
export function compileMaps(context: Context): void {
  const { identity, extension } = context;
  const byParent = identity.map === "self" && needsMapsEarly(context);
  if (identity.map === "self" && !byParent) writeMaps(context, "child");
  else if (identity.map === "self" || identity.map === "direct") writeMaps(context, "parent");
  else if (identity.map === "tools") runMapTools(context);
  else if (extension.setgroups && context.namespaces.user === "new") writeSetgroups(context, "child", extension.setgroups);
}

/**
 * The identity inside that everything up to the payload has; a soft tool sees to its own. What the process writes
 * into its own /proc folder comes before: the kernel takes that away from a process that changes its ids (proc(5)).
 */
export function compileInnerIds(context: Context): void {
  const { identity, extension } = context;
  if ((identity.map !== "direct" && identity.map !== "tools") || extension.stateless) return;
  const { uid, gid } = findInnerRoot(identity);
  const keepGroups = extension.setgroups === "deny" ? 1 : 0;
  addStep(context, "child", { op: "IDS", uid, gid, groups: [], keepGroups, keepCapabilities: 0 }, "/linux/uidMappings");
}

/** A program that enters the namespace in the parent's phase finds itself nobody without a map. */
function needsMapsEarly(context: Context): boolean {
  return context.extension.network?.mode === "user";
}

function writeMaps(context: Context, phase: "child" | "parent"): void {
  const { identity, extension } = context;
  const write = (file: string, content: string, pointer: string): void =>
    addStep(context, phase, phase === "child" ? { op: "SELF_WRITE", file, content } : { op: "PROC_WRITE", file, content }, pointer);
  if (identity.uids.length > 0) write("uid_map", formatMap(identity.uids), "/linux/uidMappings");
  // without CAP_SETGID outside, the kernel wants setgroups(2) refused before it takes a map of groups
  const setgroups = extension.setgroups ?? (identity.map === "self" && identity.gids.length > 0 ? "deny" : undefined);
  if (setgroups) writeSetgroups(context, phase, setgroups);
  if (identity.gids.length > 0) write("gid_map", formatMap(identity.gids), "/linux/gidMappings");
}

function writeSetgroups(context: Context, phase: "child" | "parent", content: string): void {
  const file = "setgroups";
  addStep(context, phase, phase === "child" ? { op: "SELF_WRITE", file, content } : { op: "PROC_WRITE", file, content }, "/linux/gidMappings");
}

function formatMap(mappings: IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

function runMapTools(context: Context): void {
  const { identity, extension, host } = context;
  const run = (name: string, mappings: IdMapping[], pointer: string): void => {
    const tool = host.hasTool(name);
    if (!tool) throw refuse(extension, pointer, "BRIG_CANNOT_MAP_IDS", `mapping several ids as an ordinary user needs ${name}`, "apt-get install uidmap");
    const words = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
    addStep(context, "parent", { op: "RUN", argv: [tool, "%p", ...words], input: "", timeoutMs: 10_000, substitute: true }, pointer);
  };
  if (extension.setgroups === "deny") writeSetgroups(context, "parent", "deny");
  if (identity.uids.length > 0) run("newuidmap", identity.uids, "/linux/uidMappings");
  if (identity.gids.length > 0) run("newgidmap", identity.gids, "/linux/gidMappings");
}

function findInnerRoot(identity: Identity): { uid: number; gid: number } {
  const pick = (mappings: IdMapping[]): number => (isMapped(mappings, 0) ? 0 : (mappings[0]?.containerID ?? 0));
  return { uid: pick(identity.uids), gid: pick(identity.gids) };
}

export function isMapped(mappings: IdMapping[], id: number): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}

/** The ids that the process has when it becomes the payload, as far as they are known. */
export function findCurrentIds(context: Context): { uid: number; gid: number; groups: readonly number[] } | undefined {
  const { identity, host, namespaces } = context;
  if (typeof namespaces.user === "object") return undefined;
  if (namespaces.user === "host") return { uid: host.euid, gid: host.egid, groups: host.groups.filter((group) => group !== host.egid) };
  if (identity.map === "none") return undefined;
  if (identity.map === "self")
    return { uid: identity.uids[0]?.containerID ?? -1, gid: identity.gids[0]?.containerID ?? -1, groups: [] };
  return { ...findInnerRoot(identity), groups: [] };
}

/** `process.user`: nothing where the process is that user already. */
export function compileUser(context: Context, keepCapabilities: boolean): void {
  const user = context.spec.process?.user;
  if (!user) return;
  if (context.extension.stateless) return addToolUser(context, user);
  const groups = [...new Set(user.additionalGids ?? [])].sort((a, b) => a - b);
  const current = findCurrentIds(context);
  if (current && current.uid === user.uid && current.gid === user.gid && sameIds(groups, current.groups, user.gid)) return;
  checkUser(context, user.uid, user.gid, groups);
  const keepGroups = groups.length === 0 && !maySetGroups(context) ? 1 : 0;
  addStep(context, "payload", { op: "IDS", uid: user.uid, gid: user.gid, groups, keepGroups, keepCapabilities: keepCapabilities ? 1 : 0 }, "/process/user");
}

/** As the tool would: groups only when they are named, and the kernel says what may not be. */
function addToolUser(context: Context, { uid, gid, additionalGids }: User): void {
  const keepGroups = !additionalGids || dropsGroupsOutside(context) ? 1 : 0;
  addStep(context, "payload", { op: "IDS", uid, gid, groups: additionalGids ?? [], keepGroups, keepCapabilities: 0 }, "/process/user");
}

function sameIds(wanted: readonly number[], current: readonly number[], primary: number): boolean {
  const without = (ids: readonly number[]): string => ids.filter((id) => id !== primary).join();
  return without(wanted) === without(current);
}

/** setgroups(2): refused in a user namespace whose map a user wrote for himself, and without CAP_SETGID. */
function maySetGroups(context: Context): boolean {
  const { identity, namespaces, host, extension } = context;
  if (extension.setgroups === "deny") return false;
  if (namespaces.user === "new") return identity.map === "direct" || identity.map === "tools";
  return host.capabilities.has("CAP_SETGID");
}

function checkUser(context: Context, uid: number, gid: number, groups: number[]): void {
  const { extension, identity, namespaces } = context;
  const pointer = "/process/user";
  if (namespaces.user === "new") {
    const missing = !isMapped(identity.uids, uid) ? `uid ${uid}` : [gid, ...groups].filter((id) => !isMapped(identity.gids, id)).map((id) => `gid ${id}`)[0];
    if (missing) throw refuse(extension, pointer, "BRIG_CANNOT_BE_USER", `${missing} is not mapped in the sandbox's user namespace`, "map it in linux.uidMappings and linux.gidMappings, or run as root");
  }
  if (groups.length > 0 && !maySetGroups(context))
    throw refuse(extension, pointer, "BRIG_CANNOT_SET_GROUPS", "supplementary groups cannot be set in a user namespace with one id", "give the user subordinate ids (/etc/subuid), or leave process.user.additionalGids out");
}
