import { checkMappings } from "./check-mappings.js";
import { checkSysctl } from "./check-sysctl.js";
import type { Problem } from "./describe-issues.js";
import type { Extension } from "./extension.js";
import type { Device, Linux, Namespace, NamespaceType, Resources, Seccomp, Spec } from "./oci.js";

/** What the schema of `linux` cannot see: settings that contradict each other or the namespaces. */
export function checkLinux(spec: Spec, extension: Extension): Problem[] {
  const linux = spec.linux ?? {};
  const namespaces = linux.namespaces ?? [];
  const isNew = (type: NamespaceType): boolean => namespaces.some((namespace) => namespace.type === type && namespace.path === undefined);
  const inside: Problem[] = [
    ...checkNamespaces(namespaces),
    ...checkUserNamespace(linux, namespaces, isNew("user"), extension),
    ...checkDevices(linux.devices ?? []),
    ...checkResources(linux.resources),
    ...checkSeccomp(linux.seccomp).map(({ path, text }) => ({ path: ["seccomp", ...path], text })),
    ...checkCgroupsPath(linux.cgroupsPath ?? ""),
    ...(linux.timeOffsets && Object.keys(linux.timeOffsets).length > 0 && !isNew("time") ? [{ path: ["timeOffsets"], text: "needs a new time namespace" }] : []),
    ...(linux.personality?.flags?.length ? [{ path: ["personality", "flags"], text: "must be empty: the specification has no flag yet" }] : []),
  ];
  return [
    ...inside.map(({ path, text }) => ({ path: ["linux", ...path], text })),
    ...checkSysctl(linux.sysctl ?? {}, isNew),
    ...checkNames(spec, namespaces),
  ];
}

function checkNamespaces(namespaces: readonly Namespace[]): Problem[] {
  const seen = new Map<string, number>();
  return namespaces.flatMap(({ type }, index) => {
    const before = seen.get(type);
    seen.set(type, before ?? index);
    return before === undefined ? [] : [{ path: ["namespaces", index, "type"], text: `${type} stands already in namespaces[${before}]` }];
  });
}

/** A tool that works in place (unshare --user) may leave its ids unmapped; for a sandbox that would be nobody for all. */
function checkUserNamespace(linux: Linux, namespaces: readonly Namespace[], isNew: boolean, extension: Extension): Problem[] {
  return (["uidMappings", "gidMappings"] as const).flatMap((name) => {
    const mappings = linux[name] ?? [];
    if (mappings.length === 0) return isNew && !extension.inPlace ? [{ path: [name], text: "is missing: a new user namespace needs it" }] : [];
    const joined = namespaces.some(({ type }) => type === "user");
    if (!isNew) return [{ path: [name], text: joined ? "cannot be set for a user namespace that is joined" : "needs a new user namespace" }];
    return checkMappings(name, mappings);
  });
}

function checkDevices(devices: readonly Device[]): Problem[] {
  const seen = new Set<string>();
  return devices.flatMap((device, index) => {
    const problems: Problem[] = [];
    if (seen.has(device.path)) problems.push({ path: ["devices", index, "path"], text: `${device.path} is made twice` });
    if (device.type !== "p" && (device.major === undefined || device.minor === undefined))
      problems.push({ path: ["devices", index, device.major === undefined ? "major" : "minor"], text: `is missing: type ${device.type} needs it` });
    seen.add(device.path);
    return problems;
  });
}

/** A swap limit is of memory and swap together (memory.memsw), so that it cannot be the lower of the two. */
function checkResources(resources: Resources | undefined): Problem[] {
  const { limit = -1, swap = -1, reservation = -1 } = resources?.memory ?? {};
  const { quota = -1, period = 100_000, burst = 0 } = resources?.cpu ?? {};
  const problems: Problem[] = [];
  if (swap > 0 && limit < 0) problems.push({ path: ["memory", "swap"], text: "needs a memory limit: it is memory and swap together" });
  if (limit > 0 && swap > 0 && swap < limit) problems.push({ path: ["memory", "swap"], text: `${swap} is below the memory limit ${limit}: it is memory and swap together` });
  if (limit > 0 && reservation > limit) problems.push({ path: ["memory", "reservation"], text: `${reservation} is above the memory limit ${limit}` });
  if (quota > 0 && quota < 1000) problems.push({ path: ["cpu", "quota"], text: `must be at least 1000 microseconds, not ${quota}` });
  if (period !== 0 && (period < 1000 || period > 1_000_000)) problems.push({ path: ["cpu", "period"], text: `must be 1000 to 1000000 microseconds, not ${period}` });
  if (quota > 0 && burst > quota) problems.push({ path: ["cpu", "burst"], text: `${burst} is above the quota ${quota}` });
  return problems.map(({ path, text }) => ({ path: ["resources", ...path], text }));
}

/** What the schema of `seccomp` cannot see. */
export function checkSeccomp(seccomp: Seccomp | undefined): Problem[] {
  if (!seccomp) return [];
  const rules = seccomp.syscalls ?? [];
  const notifies = rules.some(({ action }) => action === "SCMP_ACT_NOTIFY");
  const problems: Problem[] = [];
  if (seccomp.defaultAction === "SCMP_ACT_NOTIFY") problems.push({ path: ["defaultAction"], text: "cannot be SCMP_ACT_NOTIFY: the listener could not be handed over" });
  if (notifies && !seccomp.listenerPath) problems.push({ path: ["listenerPath"], text: "is missing: a rule says SCMP_ACT_NOTIFY" });
  if (seccomp.listenerMetadata && !seccomp.listenerPath) problems.push({ path: ["listenerMetadata"], text: "has no meaning without listenerPath" });
  if (seccomp.defaultErrnoRet !== undefined && !takesErrno(seccomp.defaultAction))
    problems.push({ path: ["defaultErrnoRet"], text: `has no meaning for ${seccomp.defaultAction}` });
  for (const [index, rule] of rules.entries()) {
    if (rule.errnoRet !== undefined && !takesErrno(rule.action)) problems.push({ path: ["syscalls", index, "errnoRet"], text: `has no meaning for ${rule.action}` });
    if (rule.action === "SCMP_ACT_NOTIFY" && rule.names.includes("write"))
      problems.push({ path: ["syscalls", index, "names"], text: "cannot have write notified: the launcher writes behind the filter" });
  }
  return problems;
}

function takesErrno(action: string): boolean {
  return action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
}

/** A name is set in a uts namespace that is new or joined, never in the host's (config.md, Hostname). */
function checkNames(spec: Spec, namespaces: readonly Namespace[]): Problem[] {
  if (namespaces.some(({ type }) => type === "uts")) return [];
  return (["hostname", "domainname"] as const).filter((name) => spec[name]).map((name) => ({ path: [name], text: "needs a uts namespace: it would change the host's" }));
}

function checkCgroupsPath(path: string): Problem[] {
  return path.split("/").includes("..") ? [{ path: ["cgroupsPath"], text: 'must not climb with ".."' }] : [];
}
