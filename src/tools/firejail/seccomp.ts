import { BrigError } from "../../error/brig-error.js";
import { allow, whereMasked } from "../../plan/seccomp/default-arguments.js";
import type { Seccomp, SeccompArg, SeccompRule } from "../../spec/oci.js";
import { describeOrigin } from "../../spec/origin.js";
import { type Draft } from "./draft.js";
import { refuseRule } from "./paths.js";
import { findLast, hasRule, listValues, type Rule } from "./rule.js";
import { type Answer, readAnswer, readCalls } from "./syscall-list.js";

const ARCHITECTURES: Record<string, [native: string, secondary: string]> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

const ENOSYS = 38;
const EOPNOTSUPP = 95;
/** CLONE_NEWNS to CLONE_NEWNET, by the words of restrict-namespaces. */
const NAMESPACE_FLAGS: Record<string, number> = { cgroup: 0x0200_0000, ipc: 0x0800_0000, net: 0x4000_0000, mnt: 0x0002_0000, pid: 0x2000_0000, time: 0x80, user: 0x1000_0000, uts: 0x0400_0000 };
const FAMILIES: Record<string, number> = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17, bluetooth: 31 };
const SECCOMP_RULES = ["seccomp", "seccomp.drop", "seccomp.keep", "seccomp.block-secondary", "memory-deny-write-execute", "protocol", "restrict-namespaces", "seccomp.32", "seccomp.32.drop", "seccomp.32.keep"];

/** A call that is refused when its arguments are so, and how the rest of it is said where only what is named is allowed. */
interface Guard {
  name: string;
  denied: SeccompArg[][];
  allowed: SeccompArg[][];
  answer: Answer;
}

/**
 * seccomp, protocol, memory-deny-write-execute and restrict-namespaces in one filter. Firejail stacks a filter for each,
 * and the strictest answer counts; here a call that two of them look at has the conditions of both.
 */
export function applySeccomp(draft: Draft): void {
  const { rules, linux } = draft;
  const first = rules.find(({ name }) => SECCOMP_RULES.includes(name));
  if (!first) return;
  check32(draft);
  const guards = [...guardMemory(draft), ...guardNamespaces(draft), ...guardSockets(draft), ...guardPersonality(draft)];
  const keep = findLast(rules, "seccomp.keep");
  const syscalls = keep ? keepCalls(draft, keep, guards) : [...dropCalls(draft), ...guards.flatMap(denyRules)];
  const answer = readDefault(draft);
  linux.seccomp = {
    ...(keep ? writeDefault(answer) : { defaultAction: "SCMP_ACT_ALLOW" as const }),
    architectures: listArchitectures(draft),
    syscalls,
  };
  draft.origins["/linux/seccomp"] = first.origin;
}

function listArchitectures({ rules }: Draft): string[] {
  const [native, secondary] = ARCHITECTURES[process.arch] ?? [];
  if (native === undefined || secondary === undefined)
    throw new BrigError(`brig has no system call filter for ${process.arch}`, { code: "BRIG_CANNOT_SECCOMP", exitCode: 1, hint: "--ignore=seccomp goes without" });
  return hasRule(rules, "seccomp.block-secondary") ? [native] : [native, secondary];
}

function writeDefault({ action, errno }: Answer): Pick<Seccomp, "defaultAction" | "defaultErrnoRet"> {
  return errno === undefined ? { defaultAction: action } : { defaultAction: action, defaultErrnoRet: errno };
}

function readDefault(draft: Draft): Answer {
  const rule = findLast(draft.rules, "seccomp-error-action");
  const word = rule?.value ?? draft.context.config.get("seccomp-error-action") ?? "EPERM";
  const answer = readAnswer(word);
  if (answer) return answer;
  throw new BrigError(`there is no seccomp error action ${JSON.stringify(word)}`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: "kill, log, or an error's name: EPERM", ...(rule ? { origin: describeOrigin(rule.origin) } : {}) });
}

/** The default list with what is added and taken out, or with seccomp.drop only what it names. */
function dropCalls(draft: Draft): SeccompRule[] {
  const { rules } = draft;
  const drop = findLast(rules, "seccomp.drop");
  const plain = findLast(rules, "seccomp");
  if (drop) return writeDrops(draft, readCalls(drop, drop.value));
  if (!plain) return [];
  const base = hasRule(rules, "allow-debuggers") ? "@default" : "@default-nodebuggers";
  const extra = draft.context.config.get("seccomp-filter-add");
  return writeDrops(draft, readCalls(plain, [base, extra, plain.value].filter(Boolean).join(",")));
}

function writeDrops(draft: Draft, calls: ReadonlyMap<string, Answer | undefined>): SeccompRule[] {
  const fallback = readDefault(draft);
  const groups = new Map<string, SeccompRule>();
  for (const [name, answer = fallback] of calls) {
    const key = `${answer.action} ${answer.errno}`;
    const rule = groups.get(key) ?? { names: [], ...writeAnswer(answer) };
    rule.names.push(name);
    groups.set(key, rule);
  }
  return [...groups.values()];
}

function writeAnswer({ action, errno }: Answer): Pick<SeccompRule, "action" | "errnoRet"> {
  return errno === undefined ? { action } : { action, errnoRet: errno };
}

/** Firejail's own three calls stay, since without them nothing could be started. */
function keepCalls(draft: Draft, keep: Rule, guards: readonly Guard[]): SeccompRule[] {
  if (hasRule(draft.rules, "seccomp.drop")) throw refuseRule(keep, "BRIG_BAD_VALUE", "seccomp.drop and seccomp.keep are mutually exclusive", "say one of them");
  const kept = [...readCalls(keep, `@default-keep,${keep.value}`).keys()];
  const guarded = new Map<string, Guard>();
  for (const guard of guards) guarded.set(guard.name, mergeGuards(keep, guarded.get(guard.name), guard));
  const plain = kept.filter((name) => !guarded.has(name));
  return [allow(plain), ...kept.flatMap((name) => (guarded.get(name)?.allowed ?? []).map((args) => allow(name, ...args)))];
}

function mergeGuards(rule: Rule, one: Guard | undefined, other: Guard): Guard {
  if (!one) return other;
  throw refuseRule(rule, "BRIG_CANNOT_SECCOMP", `${one.name} is restricted twice beside seccomp.keep`, "leave one of the two restrictions out");
}

function denyRules({ name, denied, answer }: Guard): SeccompRule[] {
  return denied.map((args) => ({ names: [name], ...writeAnswer(answer), ...(args.length > 0 ? { args } : {}) }));
}

const PROT_WRITE_EXEC = 0x6;
const PROT_EXEC = 0x4;
const SHM_EXEC = 0x8000;

/** No memory that is writable and executable, now or later (seccomp.mdwx). */
function guardMemory(draft: Draft): Guard[] {
  if (!hasRule(draft.rules, "memory-deny-write-execute")) return [];
  const answer = readDefault(draft);
  const bits = (name: string, index: number, mask: number): Guard => ({ name, answer, denied: [[whereMasked(index, mask, mask)]], allowed: [[whereMasked(index, mask, 0)]] });
  const mappings = ["mmap", "mmap2"].map((name): Guard => {
    const safe = [0, 2, 4].map((value) => [whereMasked(2, PROT_WRITE_EXEC, value)]);
    return { name, answer, denied: [[whereMasked(2, PROT_WRITE_EXEC, PROT_WRITE_EXEC)]], allowed: safe };
  });
  const never: Guard = { name: "memfd_create", answer, denied: [[]], allowed: [] };
  return [...mappings, bits("mprotect", 2, PROT_EXEC), bits("pkey_mprotect", 2, PROT_EXEC), bits("shmat", 2, SHM_EXEC), never];
}

/** restrict-namespaces: clone3 is not there, since its flags cannot be seen; setns(2) without a type is any namespace. */
function guardNamespaces(draft: Draft): Guard[] {
  const named = draft.rules.filter(({ name }) => name === "restrict-namespaces");
  if (named.length === 0) return [];
  const words = named.some(({ value }) => value === "") ? Object.keys(NAMESPACE_FLAGS) : listValues(named, "restrict-namespaces").map(({ value, rule }) => readNamespace(value, rule));
  const flags = [...new Set(words)].map((word) => NAMESPACE_FLAGS[word] as number);
  // the time namespace's flag is a signal to clone(2)
  const cloned = flags.filter((flag) => flag !== NAMESPACE_FLAGS["time"]);
  const answer = readDefault(draft);
  const bits = (name: string, index: number, list: number[], more: SeccompArg[][] = []): Guard => {
    const mask = list.reduce((sum, flag) => sum + flag, 0);
    return { name, answer, denied: [...list.map((flag) => [whereMasked(index, flag, flag)]), ...more], allowed: more.length > 0 ? [] : [[whereMasked(index, mask, 0)]] };
  };
  const nosys: Guard = { name: "clone3", answer: { action: "SCMP_ACT_ERRNO", errno: ENOSYS }, denied: [[]], allowed: [] };
  return [bits("clone", 0, cloned), nosys, bits("unshare", 0, flags), bits("setns", 1, flags, [[whereMasked(1, 0xffff_ffff, 0)]])];
}

function readNamespace(word: string, rule: Rule): string {
  if (Object.hasOwn(NAMESPACE_FLAGS, word)) return word;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `there is no namespace ${JSON.stringify(word)}`, Object.keys(NAMESPACE_FLAGS).join(", "));
}

/** protocol: the families of socket(2) that are left. i386's socketcall(2) hides the family, and is refused there. */
function guardSockets(draft: Draft): Guard[] {
  const words = listValues(draft.rules, "protocol");
  if (words.length === 0) return [];
  const families = words.map(({ value, rule }) => {
    if (Object.hasOwn(FAMILIES, value)) return FAMILIES[value] as number;
    throw refuseRule(rule, "BRIG_BAD_VALUE", `there is no protocol ${JSON.stringify(value)}`, Object.keys(FAMILIES).join(", "));
  });
  const denied = listOthers(0, [...new Set(families)]);
  const allowed = [...new Set(families)].map((family) => [whereMasked(0, 0xffff_ffff, family)]);
  return [{ name: "socket", answer: { action: "SCMP_ACT_ERRNO", errno: EOPNOTSUPP }, denied, allowed }];
}

/**
 * Conditions that together hold for every `int` but these: OCI has no masked "not equal". From the highest bit down,
 * whatever leaves the way to all of them at a bit is one condition.
 */
function listOthers(index: number, values: readonly number[], bit = 31, mask = 0, prefix = 0): SeccompArg[][] {
  if (bit < 0) return [];
  const weight = 2 ** bit;
  return [0, weight].flatMap((side) => {
    const inside = values.filter((value) => (Math.floor(value / weight) % 2) * weight === side);
    if (inside.length === 0) return [[whereMasked(index, mask + weight, prefix + side)]];
    return listOthers(index, inside, bit - 1, mask + weight, prefix + side);
  });
}

/** seccomp.block-secondary: 32-bit personalities are refused, asking (0xffffffff) and PER_LINUX are not. */
function guardPersonality(draft: Draft): Guard[] {
  const rule = findLast(draft.rules, "seccomp.block-secondary");
  if (!rule) return [];
  // the default list refuses personality(2) altogether
  if (dropCalls(draft).some(({ names }) => names.includes("personality"))) return [];
  const denied = listOthers(0, [0, 0xffff_ffff]);
  const allowed = [0, 0xffff_ffff].map((value) => [whereMasked(0, 0xffff_ffff, value)]);
  return [{ name: "personality", answer: readDefault(draft), denied, allowed }];
}

/** One filter holds for both architectures: what would open 32-bit calls alone cannot be had, what closes them can. */
function check32(draft: Draft): void {
  const rule = draft.rules.find(({ name }) => name.startsWith("seccomp.32"));
  if (!rule || hasRule(draft.rules, "seccomp.block-secondary")) return;
  const opens = rule.name === "seccomp.32" && rule.value.split(",").every((word) => word.startsWith("!")) && hasRule(draft.rules, "seccomp");
  if (opens) draft.warnings.push(`${rule.value.replaceAll("!", "")} stays refused to 32-bit programs, as to others (${describeOrigin(rule.origin)})`);
  else throw refuseRule(rule, "BRIG_CANNOT_SECCOMP_32", "brig's filter is the same for 32-bit programs: a list for them alone cannot be enforced", "seccomp.block-secondary refuses them altogether; --ignore=seccomp.32 goes without");
}

