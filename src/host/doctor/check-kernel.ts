import { existsSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast, LANDLOCK_ABIS } from "../landlock.js";
import { readText } from "../read-text.js";
import { getSystemErrorName } from "node:util";
import type { Checkup, Finding } from "./finding.js";

/** Kernel calls by the version that brought them (the calls' man pages, section VERSIONS). */
const CALLS: readonly { name: string; since: readonly [number, number]; means: string; required?: boolean }[] = [
  { name: "mount API", since: [5, 2], means: "mounts are made and moved by descriptor, without races on paths", required: true },
  { name: "clone3, pidfd", since: [5, 3], means: "processes are made and signalled without mixing up reused pids", required: true },
  { name: "openat2", since: [5, 6], means: "paths in a sandbox's root are resolved without leaving it", required: true },
  { name: "clone into cgroup", since: [5, 7], means: "a process starts inside its limits and not outside, on cgroup version 2" },
  { name: "close_range", since: [5, 9], means: "no descriptor of the caller leaks in", required: true },
  { name: "recursive read-only", since: [5, 12], means: "a bind is read-only with all mounts below it (mount_setattr)" },
  { name: "cgroup.kill", since: [5, 14], means: "a whole sandbox is killed in one call, on cgroup version 2" },
];

/** Idmapped mounts by file system (mount_setattr(2)). */
const IDMAPPED: readonly { names: string; since: readonly [number, number] }[] = [
  { names: "ext4, xfs, vfat", since: [5, 12] },
  { names: "btrfs", since: [5, 15] },
  { names: "layers of overlay", since: [5, 19] },
  { names: "tmpfs", since: [6, 3] },
  { names: "fuse", since: [6, 12] },
];

/** Landlock, seccomp, overlay, and what came with which kernel version. */
export function checkKernel(checkup: Checkup): Finding[] {
  return [checkCalls(checkup), checkIdmapped(checkup), checkSeccomp(checkup), checkNotify(checkup), checkLandlock(checkup), ...checkOverlay(checkup), checkLockdown(checkup)];
}

function checkCalls({ facts }: Checkup): Finding {
  const lacking = CALLS.filter((call) => !isAtLeast(facts.kernel, call.since));
  const version = `Linux ${facts.kernel.join(".")}`;
  const base = { topic: "kernel calls", required: true, means: (lacking.length > 0 ? lacking : CALLS).map((call) => `${call.name}: ${call.means}`).join("; ") };
  if (lacking.length === 0) return { ...base, state: "ok", what: `${version} has all of them` };
  const needed = lacking.at(-1)?.since.join(".");
  const state = lacking.some((call) => call.required) ? "missing" : "limited";
  return { ...base, state, what: `${version} lacks ${lacking.map((call) => call.name).join(", ")}`, fix: `boot Linux ${needed} or later` };
}

function checkIdmapped({ facts }: Checkup): Finding {
  const present = IDMAPPED.filter((entry) => isAtLeast(facts.kernel, entry.since)).map((entry) => entry.names);
  const lacking = IDMAPPED.filter((entry) => !isAtLeast(facts.kernel, entry.since)).map((entry) => entry.names);
  const base = { topic: "idmapped mounts", means: "files that a sandbox of root's writes keep their owners on the host" };
  if (lacking.length === 0) return { ...base, state: "ok", what: `on ${present.join(", ")}` };
  const what = present.length > 0 ? `on ${present.join(", ")}; not on ${lacking.join(", ")}` : "this kernel has none";
  return { ...base, state: present.length > 0 ? "limited" : "missing", what, fix: "boot Linux 6.12 or later" };
}

function checkSeccomp({ facts, probe }: Checkup): Finding {
  const actions = [...facts.seccompActions];
  const base = { topic: "seccomp", means: "system calls that a payload has no need of are refused", required: true } as const;
  if (probe.seccomp_filter === 0 || actions.includes("errno")) return { ...base, state: "ok", what: actions.join(", ") || "filters" };
  return { ...base, state: "missing", what: "this kernel cannot filter system calls", fix: "boot a kernel with CONFIG_SECCOMP_FILTER=y" };
}

function checkNotify({ facts }: Checkup): Finding {
  const base = { topic: "seccomp notify", means: "a call can be decided by a supervisor outside (SCMP_ACT_NOTIFY)" };
  if (facts.seccompActions.has("user_notif")) return { ...base, state: "ok", what: "present" };
  return { ...base, state: "limited", what: "it came with Linux 5.0", fix: "boot Linux 5.9 or later" };
}

function checkLandlock({ facts, probe }: Checkup): Finding {
  const abi = probe.landlock ?? facts.landlockAbi;
  const told = probe.landlock !== undefined || facts.landlock.source === "probe" ? "" : " (concluded from the kernel's version and settings)";
  const lacking = LANDLOCK_ABIS.filter((entry) => entry.abi > abi);
  const base = { topic: "Landlock", means: "a second wall around files, ports and signals, should a mount be wrong" };
  if (abi === 0) return { ...base, state: "missing", what: `not active${told}`, fix: "add landlock to the lsm= kernel argument; Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK=y" };
  if (lacking.length === 0) return { ...base, state: "ok", what: `ABI ${abi}${told}: ${LANDLOCK_ABIS.map((entry) => entry.adds).join("; ")}` };
  const names = lacking.map((entry) => `${entry.adds} (ABI ${entry.abi}, Linux ${entry.kernel.join(".")})`);
  return { ...base, state: "limited", what: `ABI ${abi}${told}; without ${names.join("; ")}`, fix: `boot Linux ${lacking.at(-1)?.kernel.join(".")} or later` };
}

function checkOverlay({ root, facts, probe }: Checkup): Finding[] {
  const loaded = /^nodev\s+overlay$/m.test(readText(join(root, "proc/filesystems")) ?? "");
  const base = { topic: "overlay", means: "--ephemeral: writes go to a layer that is dropped, listed or kept; image layers" };
  if (probe.overlay) return [{ ...base, state: "missing", what: `the kernel answers ${getSystemErrorName(-probe.overlay)} to a mount in a user namespace`, fix: "modprobe overlay" }];
  if (!loaded && !existsSync(join(root, "sys/module/overlay")))
    return [{ ...base, state: "missing", what: "the kernel has not loaded it", fix: "modprobe overlay; echo overlay > /etc/modules-load.d/overlay.conf" }];
  if (facts.euid === 0 || isAtLeast(facts.kernel, [5, 11])) return [{ ...base, state: "ok", what: isAtLeast(facts.kernel, [5, 11]) ? "also in a user namespace" : "for root" }];
  return [{ ...base, state: "limited", what: "for root alone: in a user namespace it came with Linux 5.11", fix: "boot Linux 5.11 or later, or run brig as root" }];
}

function checkLockdown({ facts }: Checkup): Finding {
  const base = { topic: "kernel lockdown", means: "with it, root on the host cannot change the running kernel; sandboxes work with and without" };
  return { ...base, state: "ok", what: facts.kernelLockdown };
}
