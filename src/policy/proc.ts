import { existsSync } from "node:fs";
import { addMount, byDefault, type Draft, originOfOption } from "./draft.js";

/** What a user without rights on the host could still read or write there. */
const MASKED = ["/proc/keys", "/proc/acpi", "/proc/scsi", "/proc/sched_debug", "/proc/latency_stats"];
const READ_ONLY = ["/proc/sys"];

/** What only the host's root could, besides: the lists that docker and podman use. */
const MASKED_FROM_ROOT = ["/proc/kcore", "/proc/timer_list", "/proc/timer_stats", "/proc/asound", "/proc/interrupts"];
const READ_ONLY_FOR_ROOT = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"];

/** A new /proc that shows only the sandbox's processes, or with a shared pid namespace the host's. */
export function addProc(draft: Draft): void {
  const origin = byDefault("the sandbox's own processes");
  const options = ["nosuid", "nodev", "noexec"];
  // The kernel mounts a new one only for whoever owns the pid namespace.
  if (draft.options.share?.includes("pid")) addMount(draft, { destination: "/proc", type: "bind", source: "/proc", options: ["rbind", ...options] }, originOfOption(draft, "/share"));
  else addMount(draft, { destination: "/proc", type: "proc", source: "proc", options }, origin);
  const root = draft.hostRoot && draft.context.host.euid === 0;
  const masked = root ? [...MASKED, ...MASKED_FROM_ROOT] : MASKED;
  draft.linux.maskedPaths = [...(draft.linux.maskedPaths ?? []), ...masked.filter((path) => existsSync(path))];
  draft.linux.readonlyPaths = (root ? [...READ_ONLY, ...READ_ONLY_FOR_ROOT] : READ_ONLY).filter((path) => existsSync(path));
  draft.origins["/linux/maskedPaths"] = byDefault("tells of the host");
  draft.origins["/linux/readonlyPaths"] = byDefault("settings of the kernel");
  draft.writable.push("/proc");
}
