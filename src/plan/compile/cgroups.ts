import { posix } from "node:path";
import { type CgroupPlace, placeCgroup } from "../../host/cgroup.js";
import { makeCgroupReader } from "../../host/cgroup-facts.js";
import type { DeviceRule } from "../../spec/oci.js";
import { addStep, type Context, isDefault, leaveOut, refuse, takeSlot } from "./context.js";
import { listSettings, type Setting } from "./resources.js";
import { handOver, listDelegated, makeNamedCgroup } from "./delegation.js";
import { planPids } from "./pids.js";

const O_WRONLY = 1;

/** A cgroup that the sandbox gets, with what is written into it. */
interface PlannedCgroup {
  place: CgroupPlace;
  settings: { file: string; value: string; pointer: string }[];
}

/** Makes the sandbox's cgroups and puts its first process into them. True when there are any. */
export function compileCgroups(context: Context): boolean {
  const { spec, host } = context;
  const settings = [...listSettings(spec.linux?.resources ?? {}), ...planPids(context), ...planDevices(context)];
  const delegates = context.extension.machine?.delegate;
  const wanted = [...new Set([...settings.map(({ controller }) => controller), ...listDelegated(context)])];
  if (delegates === "systemd") makeNamedCgroup(context);
  if (wanted.length === 0 && !spec.linux?.cgroupsPath && !delegates) return false;
  const placement = placeCgroup(host.cgroup, wanted, makeCgroupReader(), host.euid);
  // a hierarchy that limits nothing here would cost a cgroup for each sandbox
  const used = placement.places.filter(({ controllers, version }) => controllers.length > 0 || spec.linux?.cgroupsPath || wanted.includes("cgroup") || (delegates === "unified" && version === 2));
  const planned = used.map((place): PlannedCgroup => ({ place, settings: [] }));
  for (const setting of settings) assign(context, setting, planned, placement.problem);
  for (const cgroup of planned) makeCgroup(context, cgroup);
  return planned.length > 0 || delegates !== undefined;
}

function assign(context: Context, setting: Setting, planned: PlannedCgroup[], problem?: { what: string; hint: string }): void {
  const names = setting.controller === "io" ? ["io", "blkio"] : [setting.controller];
  const cgroup = planned.find(({ place }) => place.controllers.some((name) => names.includes(name))) ?? findUnified(setting, planned);
  const file = cgroup?.place.version === 1 ? setting.old : setting.unified;
  if (cgroup && file) return void cgroup.settings.push({ ...file, pointer: setting.pointer });
  const what = cgroup ? `cgroup version ${cgroup.place.version} has nothing like it` : (problem?.what ?? `this host has no cgroup controller ${setting.controller}`);
  const limit = setting.pointer.replace("/linux/resources/", "").replaceAll("/", ".");
  if (isDefault(context.extension, setting.pointer)) return leaveOut(context, `the default limit ${limit} is not set: ${what}`, setting.pointer);
  throw refuse(context.extension, setting.pointer, "BRIG_CANNOT_LIMIT", `the limit ${limit} cannot be set: ${what}`, problem?.hint ?? "go without that limit");
}

/** "cgroup.…" in resources.unified belongs to no controller. */
function findUnified(setting: Setting, planned: PlannedCgroup[]): PlannedCgroup | undefined {
  return setting.controller === "cgroup" ? planned.find(({ place }) => place.version === 2) : undefined;
}

function makeCgroup(context: Context, { place, settings }: PlannedCgroup): void {
  const pointer = context.spec.linux?.cgroupsPath ? "/linux/cgroupsPath" : "/linux/resources";
  prepareParent(context, place, pointer);
  const { parent, name } = choosePath(context, place);
  const slot = takeSlot(context);
  addStep(context, "host", { op: "CGROUP", slot, parent, name, substitute: true }, pointer);
  for (const { file, value } of place.initialise) addStep(context, "host", { op: "CGROUP_SET", slot, file, value }, pointer);
  for (const { file, value, pointer: own } of settings) addStep(context, "host", { op: "CGROUP_SET", slot, file, value }, own);
  if (place.version === 2 && context.extension.machine?.delegate) handOver(context, slot);
  if (place.controllers.includes("memory"))
    addStep(context, "host", { op: "CGROUP_OOM", slot, file: place.version === 1 ? "memory.oom_control" : "memory.events" }, pointer);
  if (place.version === 2) context.plan.run.cloneCgroupSlot = slot;
  // by the process itself, as a single thread: moving another one waits for an RCU grace period, 5 to 15 ms
  else addStep(context, "child", { op: "CGROUP_ENTER", slot }, pointer);
}

/** brig's own folder is gone after a restart of the host, and with it what was enabled: a kept plan makes it again. */
function prepareParent(context: Context, { version, parent, makeParent, controllers, controllersToEnable }: CgroupPlace, pointer: string): void {
  const own = version === 2 && posix.basename(parent) === "brig";
  const enable = (file: string, content: string): void => addStep(context, "host", { op: "WRITE_HOST", path: file, content, flags: O_WRONLY, mode: 0 }, pointer);
  if (!own) {
    if (makeParent) addStep(context, "host", { op: "MKDIR_HOST", path: parent, mode: 0o755, existOk: 1 }, pointer);
    return controllersToEnable.forEach(({ file, value }) => enable(file, value));
  }
  const all = controllers.map((name) => `+${name}`).join(" ");
  if (all) enable(`${posix.dirname(parent)}/cgroup.subtree_control`, all);
  addStep(context, "host", { op: "MKDIR_HOST", path: parent, mode: 0o755, existOk: 1 }, pointer);
  if (all) enable(`${parent}/cgroup.subtree_control`, all);
}

/** `linux.cgroupsPath`: absolute from the hierarchy's mount, relative from where brig puts sandboxes (config-linux.md). */
function choosePath(context: Context, place: CgroupPlace): { parent: string; name: string } {
  const path = context.spec.linux?.cgroupsPath;
  if (!path) return { parent: place.parent, name: "brig-%i" };
  const pointer = "/linux/cgroupsPath";
  if (/^[^/]*:[^/]*:[^/]*$/.test(path))
    throw refuse(context.extension, pointer, "BRIG_CANNOT_CGROUP_PATH", `${path} names a systemd slice, which only systemd can fill`, "give a path such as /brig/NAME");
  if (path.includes("%") || path.split("/").includes(".."))
    throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `${path} is no path of a cgroup`, "give a path without .. and %");
  const base = posix.isAbsolute(path) ? findMount(context, place) : place.parent;
  const names = path.split("/").filter((part) => part !== "");
  const name = names.pop() ?? "brig-%i";
  let parent = base;
  for (const part of names) {
    parent = `${parent}/${part}`;
    addStep(context, "host", { op: "MKDIR_HOST", path: parent, mode: 0o755, existOk: 1 }, pointer);
  }
  return { parent, name };
}

function findMount(context: Context, place: CgroupPlace): string {
  const { controllers, unified } = context.host.cgroup;
  const mount = place.version === 2 ? unified?.mount : controllers[place.controllers[0] ?? ""]?.mount;
  return mount ?? place.parent;
}

/**
 * linux.resources.devices: the files of version 1. Version 2 would need a BPF program, which brig does not load; a
 * list that allows everything asks for nothing.
 */
function planDevices(context: Context): Setting[] {
  const rules = context.spec.linux?.resources?.devices ?? [];
  if (rules.every(({ allow }) => allow)) return [];
  const pointer = "/linux/resources/devices";
  if (context.host.cgroup.controllers["devices"]?.version !== 1)
    throw refuse(context.extension, pointer, "BRIG_CANNOT_LIMIT_DEVICES", "access to devices cannot be limited here: this host has no version 1 devices controller", "leave linux.resources.devices out: in a user namespace the sandbox has only the devices that are bound into it");
  return [...rules, ...DEFAULT_DEVICES].map((rule, index) => ({
    controller: "devices",
    pointer: index < rules.length ? `${pointer}/${index}` : pointer,
    old: { file: rule.allow ? "devices.allow" : "devices.deny", value: formatRule(rule) },
  }));
}

/** What every OCI container may use whatever the list says (config-linux.md, "Default Devices"), and ptys. */
const DEFAULT_DEVICES: DeviceRule[] = [
  ...[3, 5, 7, 8, 9].map((minor): DeviceRule => ({ allow: true, type: "c", major: 1, minor, access: "rwm" })),
  ...[0, 1, 2].map((minor): DeviceRule => ({ allow: true, type: "c", major: 5, minor, access: "rwm" })),
  { allow: true, type: "c", major: 136, access: "rwm" },
];

function formatRule({ type = "a", major, minor, access = "rwm" }: DeviceRule): string {
  if (type === "a" && major === undefined && minor === undefined) return "a";
  const number = (value: number | undefined): string => (value === undefined || value < 0 ? "*" : String(value));
  return `${type} ${number(major)}:${number(minor)} ${access}`;
}
