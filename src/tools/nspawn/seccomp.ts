import type { Seccomp, SeccompRule } from "../../spec/oci.js";
import { SYSTEMD_CALL_GROUPS } from "./call-groups.js";
import type { NspawnOptions } from "./options.js";
import { refuseWords } from "./values.js";

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** What systemd-nspawn 252 lets a container call, as seen from inside of one: these groups, and these calls besides. */
const GROUPS = [
  "@basic-io", "@chown", "@default", "@file-system", "@io-event", "@ipc", "@mount", "@network-io", "@process", "@resources", "@setuid", "@signal", "@sync", "@timer",
];
const CALLS =
  "arm_fadvise64_64 arm_sync_file_range capset copy_file_range fadvise64 fadvise64_64 flock get_mempolicy getcpu getpriority ioctl ioprio_get kcmp madvise " +
  "mincore mremap name_to_handle_at personality ptrace readahead readdir reboot remap_file_pages sched_get_priority_max sched_get_priority_min " +
  "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 seccomp sendfile sendfile64 setdomainname setfsgid " +
  "setfsgid32 setfsuid setfsuid32 sethostname setpgid setsid splice sysinfo tee umask uname oldolduname olduname userfaultfd vhangup vmsplice sigreturn " +
  "get_thread_area set_thread_area arm_sync_file_range sync_file_range2 socketcall ipc " +
  // these can only take rights away
  "landlock_create_ruleset landlock_add_rule landlock_restrict_self";
/** Of @aio: io_uring's calls are left out, whose work no filter sees. Programs go on without it. */
const AIO = "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit";

/** What a capability opens, as systemd-nspawn has it. */
const BY_CAPABILITY: Record<string, string> = {
  CAP_SYS_TIME: "@clock", CAP_SYS_MODULE: "@module", CAP_SYS_RAWIO: "@raw-io", CAP_IPC_LOCK: "@memlock", CAP_SYSLOG: "syslog", CAP_SYS_PACCT: "acct", CAP_BPF: "bpf", CAP_PERFMON: "perf_event_open",
};

/**
 * The machine's filter: EPERM for the calls that systemd knows and refuses, ENOSYS for those that it does not know, so
 * that libraries fall back. Without audit, whose netlink is the host's (EAFNOSUPPORT).
 */
export function buildSeccomp(options: NspawnOptions, capabilities: readonly string[]): Seccomp {
  const allowed = new Set([...GROUPS, ...CALLS.split(" "), ...AIO.split(" ")].flatMap(listCalls));
  for (const capability of capabilities) for (const name of listCalls(BY_CAPABILITY[capability] ?? "")) allowed.add(name);
  for (const word of options.allowedCalls) for (const name of requireCalls(word)) allowed.add(name);
  const denied = new Set(options.deniedCalls.flatMap(requireCalls));
  for (const name of denied) allowed.delete(name);
  const sockets = !denied.has("socket");
  allowed.delete("socket");
  const refused = [...new Set([...Object.keys(SYSTEMD_CALL_GROUPS).flatMap(listCalls), ...denied])].filter((name) => !allowed.has(name) && (name !== "socket" || !sockets));
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    architectures: listArchitectures(),
    syscalls: [
      { names: [...allowed], action: "SCMP_ACT_ALLOW" },
      { names: refused, action: "SCMP_ACT_ERRNO", errnoRet: EPERM },
      ...(sockets ? guardSockets() : []),
    ],
  };
}

function listArchitectures(): string[] {
  return process.arch === "arm64" ? ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"] : ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"];
}

const AF_NETLINK = 16;
const NETLINK_AUDIT = 9;

function guardSockets(): SeccompRule[] {
  return [
    { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: AF_NETLINK, op: "SCMP_CMP_NE" }] },
    { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: AF_NETLINK, op: "SCMP_CMP_EQ" }, { index: 2, value: NETLINK_AUDIT, op: "SCMP_CMP_NE" }] },
    { names: ["socket"], action: "SCMP_ACT_ERRNO", errnoRet: EAFNOSUPPORT, args: [{ index: 0, value: AF_NETLINK, op: "SCMP_CMP_EQ" }, { index: 2, value: NETLINK_AUDIT, op: "SCMP_CMP_EQ" }] },
  ];
}

/** The calls of a group, groups in it included; or the call. */
function listCalls(word: string): string[] {
  if (word === "") return [];
  if (!word.startsWith("@")) return [word];
  return (SYSTEMD_CALL_GROUPS[word] ?? "").split(" ").flatMap(listCalls);
}

function requireCalls(word: string): string[] {
  const calls = listCalls(word);
  const known = word.startsWith("@") ? Object.hasOwn(SYSTEMD_CALL_GROUPS, word) : isKnown(word);
  if (!known) throw refuseWords(`System call ${word} is not known, and cannot be filtered.`, "systemd-analyze syscall-filter lists groups and calls");
  return calls;
}

let everyCall: Set<string> | undefined;

function isKnown(name: string): boolean {
  everyCall ??= new Set([...Object.keys(SYSTEMD_CALL_GROUPS).flatMap(listCalls), ...CALLS.split(" ")]);
  return everyCall.has(name);
}
