import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import { type Draft, isRoot } from "./draft.js";
import { refuseRule } from "./paths.js";
import { findLast, hasRule, listValues } from "./rule.js";

/** What `caps` takes away (firejail(1)). */
const DEFAULT_DROPPED = ["CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_TTY_CONFIG", "CAP_SYSLOG", "CAP_MKNOD", "CAP_SYS_ADMIN"];

/** User, groups, capabilities and no_new_privs. */
export function applyIdentity(draft: Draft): void {
  const { euid, egid } = draft.context.host;
  if (isRoot(draft)) draft.process.user = { uid: 0, gid: 0, additionalGids: dropsGroups(draft) ? [] : [...draft.context.host.groups] };
  else mapUser(draft, euid, egid);
  applyCapabilities(draft);
  const forced = draft.context.config.get("force-nonewprivs") === "yes";
  const rule = findLast(draft.rules, "nonewprivs");
  // as with firejail, a filter for an ordinary user brings it along
  draft.process.noNewPrivileges = rule !== undefined || forced || (!isRoot(draft) && draft.linux.seccomp !== undefined);
  if (rule) draft.origins["/process/noNewPrivileges"] = rule.origin;
}

function dropsGroups(draft: Draft): boolean {
  return hasRule(draft.rules, "nogroups", "noroot");
}

/**
 * An ordinary user has the rights to mount only in a user namespace. With one id mapped the kernel lets nobody drop
 * groups; newgidmap can, from the ranges of /etc/subgid.
 */
function mapUser(draft: Draft, uid: number, gid: number): void {
  const { linux, process, context } = draft;
  linux.namespaces!.push({ type: "user" });
  linux.uidMappings = [{ containerID: uid, hostID: uid, size: 1 }];
  linux.gidMappings = [{ containerID: gid, hostID: gid, size: 1 }];
  process.user = { uid, gid };
  const rule = findLast(draft.rules, "nogroups") ?? findLast(draft.rules, "noroot");
  const groups = context.host.groups.filter((group) => group !== gid);
  if (!rule || groups.length === 0) return;
  const [range] = context.host.subgid;
  if (!range || context.host.hasTool("newgidmap") === undefined)
    throw refuseRule(rule, "BRIG_CANNOT_DROP_GROUPS", `the groups ${groups.join(", ")} cannot be dropped without privileges`, "apt-get install uidmap and give the user subordinate ids (usermod --add-subgids 100000-165535 USER), or keep the groups: --ignore=nogroups --ignore=noroot");
  linux.gidMappings.push({ containerID: range.start, hostID: range.start, size: 1 });
  process.user.additionalGids = [];
  draft.origins["/linux/gidMappings"] = rule.origin;
}

function applyCapabilities(draft: Draft): void {
  const { capLast, capabilities } = draft.context.host;
  const own = CAPABILITY_NAMES.slice(0, capLast + 1).filter((name) => !isRoot(draft) || capabilities.has(name));
  const kept = limitCapabilities(draft, own);
  const held = isRoot(draft) ? kept : [];
  draft.process.capabilities = { bounding: kept, effective: held, permitted: held, inheritable: [], ambient: [] };
  const rule = draft.rules.find(({ name }) => name === "caps" || name.startsWith("caps."));
  if (rule) draft.origins["/process/capabilities"] = rule.origin;
}

function limitCapabilities(draft: Draft, own: string[]): string[] {
  const named = (name: string): string[] => listValues(draft.rules, name).filter(({ value }) => value !== "all").map(({ value, rule }) => readCapability(value, rule));
  const isAll = draft.rules.some((rule) => rule.name === "caps.drop" && rule.value.split(",").includes("all"));
  if (isAll) return [];
  const dropped = new Set([...named("caps.drop"), ...(hasRule(draft.rules, "caps") ? DEFAULT_DROPPED : [])]);
  const keep = hasRule(draft.rules, "caps.keep") ? new Set(named("caps.keep")) : undefined;
  return own.filter((name) => !dropped.has(name) && (keep === undefined || keep.has(name)));
}

function readCapability(word: string, rule: Parameters<typeof refuseRule>[0]): string {
  const name = `CAP_${word.toUpperCase().replace(/^CAP_/, "")}`;
  if (CAPABILITY_NAMES.includes(name)) return name;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `there is no capability ${JSON.stringify(word)}`, "see capabilities(7): net_admin, sys_chroot …");
}
