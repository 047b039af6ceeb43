import { defaultSeccomp } from "../plan/seccomp/default.js";
import { readHostArch } from "../plan/seccomp/architectures.js";
import { readSyscalls } from "../plan/seccomp/tables.js";
import type { Seccomp, SeccompRule } from "../spec/oci.js";
import { lack, put, type UnitDraft } from "./draft.js";

/** The last call that systemd 252 knows by name: set_mempolicy_home_node(2) of Linux 5.17. */
const LAST_KNOWN = 450;
const CALLS_A_LINE = 12;
/** What ProtectClock= refuses by a filter of its own: allowed here, it would be refused all the same. */
const CLOCK_CALLS = new Set(["adjtimex", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64", "settimeofday", "stime"]);
const NO_CALLS = new Set(["uretprobe", "uprobe"]);
const FAMILIES: Record<number, string> = { 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET" };

/** The filter of system calls. Those rules of brig's own filter that look at arguments have words of their own. */
export function writeSeccomp(draft: UnitDraft): void {
  const filter = draft.spec.linux?.seccomp;
  if (!filter) return;
  if (filter.defaultAction !== "SCMP_ACT_ERRNO" || (filter.defaultErrnoRet ?? 1) !== 1 || filter.listenerPath !== undefined)
    return lack(draft, "/linux/seccomp", `a filter whose default is ${filter.defaultAction}`);
  const rules = filter.syscalls ?? [];
  const strange = rules.find((rule) => !isPlain(rule) && !isOwnGuard(draft, rule));
  if (strange) return lack(draft, "/linux/seccomp", `a rule that looks at the arguments of ${strange.names.join(", ")}`);
  put(draft, "SystemCallArchitectures", (filter.architectures?.length ?? 0) > 1 ? "native x86" : "native");
  put(draft, "SystemCallErrorNumber", "EPERM");
  writeCalls(draft, rules);
  writeGuards(draft, filter);
}

function isPlain({ action, args = [] }: SeccompRule): boolean {
  return action === "SCMP_ACT_ALLOW" && args.length === 0;
}

/** systemd refuses clone3 with ENOSYS by itself where it restricts namespaces. */
function isOwnGuard({ spec }: UnitDraft, rule: SeccompRule): boolean {
  const capabilities = new Set(spec.process?.capabilities?.bounding ?? []);
  const own = [true, false].flatMap((setuidFiles) => defaultSeccomp({ setuidFiles, capabilities }).syscalls ?? []);
  return own.some((each) => JSON.stringify(each) === JSON.stringify(rule));
}

/** A call that systemd does not know by name is one that it refuses. */
function writeCalls(draft: UnitDraft, rules: readonly SeccompRule[]): void {
  const numbers = readSyscalls(readHostArch());
  const allowed = rules.filter(({ action }) => action === "SCMP_ACT_ALLOW").flatMap(({ names }) => names);
  const protectsClock = draft.lines.some(({ name }) => name === "ProtectClock");
  const isRefused = (name: string): boolean => NO_CALLS.has(name) || (protectsClock && CLOCK_CALLS.has(name));
  const names = [...new Set(allowed)].filter((name) => (numbers.get(name) ?? Infinity) <= LAST_KNOWN && !isRefused(name)).sort();
  for (let at = 0; at < names.length; at += CALLS_A_LINE) put(draft, "SystemCallFilter", names.slice(at, at + CALLS_A_LINE).join(" "));
}

function writeGuards(draft: UnitDraft, { syscalls = [] }: Seccomp): void {
  const conditional = (name: string): SeccompRule[] => syscalls.filter(({ names, args = [] }) => names.includes(name) && args.length > 0);
  const sockets = conditional("socket").map(({ args = [] }) => FAMILIES[Number(args[0]?.valueTwo)] ?? "");
  if (sockets.length > 0) put(draft, "RestrictAddressFamilies", [...new Set(sockets)].filter(Boolean).join(" "));
  if (conditional("clone").length > 0) put(draft, "RestrictNamespaces", "yes");
  if (conditional("personality").length > 0) put(draft, "LockPersonality", "yes");
  if (conditional("chmod").length > 0) put(draft, "RestrictSUIDSGID", "yes");
}
