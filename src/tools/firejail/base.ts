import { existsSync, lstatSync, statSync } from "node:fs";
import { byFirejail, type Draft, hide, isRoot } from "./draft.js";
import { hasRule } from "./rule.js";

const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/libx32", "/lib64"];

/** What tells of the kernel or changes it: hidden in every sandbox. */
const HIDDEN = [
  "/sys/firmware", "/sys/hypervisor", "/sys/power", "/sys/kernel/debug", "/sys/kernel/vmcoreinfo", "/sys/kernel/uevent_helper", "/sys/fs", "/sys/module",
  "/proc/sys/fs/binfmt_misc", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/sys/kernel/hotplug",
  "/proc/sys/vm/panic_on_oom", "/proc/irq", "/proc/bus", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
  "/proc/kcore", "/proc/kallsyms", "/proc/mem", "/proc/kmem", "/proc/keys", "/proc/acpi", "/proc/scsi",
  "/usr/lib/debug", "/boot", "/usr/src/linux", "/lib/modules", "/usr/lib/modules", "/dev/port", "/dev/kmsg", "/proc/kmsg",
];

/** The host's root with the system's folders read-only (firejail(1), "USAGE"), before any rule. */
export function buildBase(draft: Draft): void {
  const { view } = draft;
  const origin = byFirejail("the system's folders are read-only");
  for (const path of SYSTEM) if (isFolder(path)) view.change(path, { readonly: true }, origin);
  const guarded = isRoot(draft) ? { readonly: true } : { readonly: true, nosuid: true, nodev: true, noexec: true };
  if (!hasRule(draft.rules, "writable-etc")) view.change("/etc", guarded, origin);
  if (!hasRule(draft.rules, "writable-var")) view.change("/var", guarded, origin);
  // said by name: otherwise the devices of an OCI container would be made in the host's /dev
  view.bind("/dev", "/dev", byFirejail("the host's devices"));
  buildKernelViews(draft);
  buildPrivatePlaces(draft);
  for (const path of HIDDEN) if (existsSync(path)) hide(draft, path, byFirejail("tells of the kernel, or changes it"));
  for (const path of draft.context.own) hide(draft, path, byFirejail("brig's own sockets and plans"));
}

function buildKernelViews({ view, linux, origins }: Draft): void {
  view.cover("/proc", "proc", [], byFirejail("the sandbox's own processes"), { noexec: true });
  view.change("/sys", { readonly: true, nosuid: true, nodev: true, noexec: true }, byFirejail("settings of the kernel"));
  linux.readonlyPaths = ["/proc/sys"];
  origins["/linux/readonlyPaths"] = byFirejail("settings of the kernel");
}

function buildPrivatePlaces(draft: Draft): void {
  const { view, rules } = draft;
  const origin = byFirejail("private and gone at the end");
  if (isFolder("/run/lock")) view.cover("/run/lock", "tmpfs", ["mode=1777"], origin, { noexec: true });
  if (!hasRule(rules, "keep-var-tmp") && isFolder("/var/tmp")) view.cover("/var/tmp", "tmpfs", ["mode=1777"], origin, { noexec: true });
  if (!hasRule(rules, "writable-var-log")) view.cover("/var/log", "tmpfs", ["mode=0755"], origin, { noexec: true });
  if (!isRoot(draft) && !hasRule(rules, "allusers")) isolateHome(draft);
}

/** Other users' homes are not there at all; the folder is not writable, as on the host. */
function isolateHome({ view, context }: Draft): void {
  const { home } = context.places;
  const origin = byFirejail("only the user's own home");
  if (isFolder("/home")) view.cover("/home", "tmpfs", ["mode=0555"], origin);
  if (home.startsWith("/home/") && isFolder(home)) view.bind(home, home, origin);
}

export function isFolder(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() ?? false;
}

/** Whether a path leads to a folder, links followed; false for what the caller may not see. */
export function leadsToFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
