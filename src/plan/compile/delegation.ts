import { addStep, type Context, refuse, takeSlot } from "./context.js";

const POINTER = "/annotations/dev.brig.machine/delegate";

/** The version 2 controllers that a machine which manages its own cgroups can be given. */
export function listDelegated({ extension, host }: Context): string[] {
  if (extension.machine?.delegate !== "unified") return [];
  return Object.entries(host.cgroup.controllers).flatMap(([name, { version, delegated }]) => (version === 2 && delegated ? [name] : []));
}

/** Version 1's hierarchy for systemd, which limits nothing, and is there for an init to sort its services in. */
export function makeNamedCgroup(context: Context): void {
  const { systemd } = context.host.cgroup;
  if (!systemd) throw refuse(context.extension, POINTER, "BRIG_CANNOT_DELEGATE", "this host has no cgroup hierarchy of the name systemd", "mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd");
  const slot = takeSlot(context);
  addStep(context, "host", { op: "CGROUP", slot, parent: systemd.folder, name: "brig-%i", substitute: true }, POINTER);
  handOver(context, slot);
  addStep(context, "child", { op: "CGROUP_ENTER", slot }, POINTER);
}

/** The cgroup, and what is written to manage it, belong to the root of the machine. */
export function handOver(context: Context, slot: number): void {
  const { identity, host } = context;
  const uid = identity.uids.find(({ containerID }) => containerID === 0)?.hostID ?? host.euid;
  const gid = identity.gids.find(({ containerID }) => containerID === 0)?.hostID ?? host.egid;
  if (uid !== host.euid || gid !== host.egid) addStep(context, "host", { op: "CGROUP_OWN", slot, uid, gid }, POINTER);
}
