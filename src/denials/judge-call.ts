import { decodeAction } from "../plan/seccomp/actions.js";
import { compileSeccomp } from "../plan/seccomp/compile.js";
import { CAPABILITY_CALLS } from "../plan/seccomp/default-calls.js";
import { defaultSeccomp } from "../plan/seccomp/default.js";
import { evaluateSeccomp } from "../plan/seccomp/evaluate.js";
import type { WatchEvent } from "../plan/watch/events.js";
import { number } from "./accesses.js";
import type { Finding } from "./denial.js";
import { type Inside, originAt } from "./inside.js";

const ENOSYS = 38;
const POINTER = "/linux/seccomp";

/** A call that the filter answered with an errno. */
export function judgeCall(inside: Inside, event: WatchEvent): Finding | undefined {
  const { action, data } = decodeAction(event.answer);
  if (action !== "SCMP_ACT_ERRNO" || data === ENOSYS) return undefined;
  const origin = originAt(inside, POINTER);
  const isDefault = origin === undefined || origin.kind === "default" || /\bdefault\b/.test(origin.text);
  const base = { kind: "call" as const, what: describeCall(event), want: "call" as const, rule: "the system call filter refuses it", ...(origin ? { origin } : {}) };
  if (!isDefault) return { ...base, advice: `allow ${event.call} in the rules of ${origin.file ?? origin.text}, or use --seccomp default` };
  const capability = findCapability(inside, event);
  return capability ? { ...base, allow: `--cap-add ${capability.slice("CAP_".length)}` } : { ...base, allow: "--seccomp none", advice: "or --seccomp FILE with rules of your own" };
}

/** The capability whose presence makes the default filter let the call through; the widest is tried last. */
function findCapability(inside: Inside, event: WatchEvent): string | undefined {
  const names = ["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_AUDIT_WRITE", ...Object.keys(CAPABILITY_CALLS).filter((name) => name !== "CAP_SYS_ADMIN"), "CAP_SYS_ADMIN"];
  return names.find((name) => opens(inside, name, event));
}

const programs = new Map<string, Uint8Array>();

function opens(inside: Inside, capability: string, event: WatchEvent): boolean {
  const kept = inside.spec.process?.capabilities?.bounding ?? [];
  const key = [...kept, capability, inside.euid].join();
  let program = programs.get(key);
  if (!program) {
    const rules = defaultSeccomp({ capabilities: new Set([...kept, capability]), setuidFiles: inside.euid !== 0 });
    programs.set(key, (program = compileSeccomp(rules).program));
  }
  return evaluateSeccomp(program, { arch: event.arch, nr: event.number, args: event.args }).action === "SCMP_ACT_ALLOW";
}

const FAMILIES: Record<number, string> = { 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 31: "AF_BLUETOOTH", 38: "AF_ALG", 40: "AF_VSOCK", 29: "AF_CAN", 30: "AF_TIPC", 21: "AF_RDS", 44: "AF_XDP" };
const NAMESPACES: [number, string][] = [[0x20000, "CLONE_NEWNS"], [0x2000000, "CLONE_NEWCGROUP"], [0x4000000, "CLONE_NEWUTS"], [0x8000000, "CLONE_NEWIPC"], [0x10000000, "CLONE_NEWUSER"], [0x20000000, "CLONE_NEWPID"], [0x40000000, "CLONE_NEWNET"]];
const REQUESTS: Record<number, string> = { 0x5412: "TIOCSTI", 0x541c: "TIOCLINUX" };
const MODE_AT: Record<string, number> = { chmod: 1, fchmod: 1, fchmodat: 2, mknod: 1, mknodat: 2, creat: 1, open: 2, openat: 3 };

/** The call with those of its arguments that the default filter looks at. */
function describeCall(event: WatchEvent): string {
  const { call } = event;
  if (call === "socket" || call === "socketpair") return `${call}(${FAMILIES[number(event, 0)] ?? number(event, 0)})`;
  if (call === "clone" || call === "unshare") return `${call}(${NAMESPACES.filter(([bit]) => (number(event, 0) & bit) !== 0).map(([, name]) => name).join("|")})`;
  if (call === "ioctl") return `ioctl(${REQUESTS[number(event, 1) >>> 0] ?? `0x${(number(event, 1) >>> 0).toString(16)}`})`;
  if (call === "personality") return `personality(0x${(number(event, 0) >>> 0).toString(16)})`;
  const mode = MODE_AT[call];
  return mode === undefined ? call : `${call}(0${(number(event, mode) & 0o7777).toString(8)})`;
}
