import { BrigError } from "../../error/brig-error.js";
import type { Seccomp } from "../../spec/oci.js";
import { ENOSYS, RETURN, encodeAction, isAllowed, isLetThrough } from "./actions.js";
import { AUDIT_ARCH, type HostArch, X32_BIT, readHostArch, selectTables } from "./architectures.js";
import { assemble } from "./assemble.js";
import { MAX_INSTRUCTIONS, encodeProgram } from "./bpf.js";
import { encodeFlags } from "./flags.js";
import { Graph, type Node, OFFSET_ARCH, OFFSET_NR } from "./graph.js";
import { type Segment, buildRangeTree, joinRanges } from "./ranges.js";
import { type CheckedRule, type Decision, checkRules, decideCalls, findLastNamed, usesNotify } from "./rules.js";
import { simplifyClauses } from "./simplify.js";
import { type SyscallTable, isKnownSyscall, readLastNumber, readSyscalls } from "./tables.js";
import { buildTest } from "./compare.js";

export interface SeccompOptions {
  /** The machine that the filter is for. Default: this one. */
  arch?: HostArch;
}

export interface CompiledSeccomp {
  /** An array of struct sock_filter. */
  program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* of seccomp(2). */
  flags: number;
  /** How many of the machine's own calls happen when all of their arguments are zero. */
  allowed: number;
  /** Names in the rules that no architecture knows: passed over, as runc does. */
  unknown: string[];
}

/**
 * Compiles the OCI specification's seccomp rules (config-linux.md#seccomp) to a BPF program with one lookup for the
 * architecture, a binary search over ranges of calls, and the compares of arguments behind that.
 *
 * A call of an architecture that the spec does not admit kills the process. x32 calls get ENOSYS, as from a kernel
 * without x32. Unless the default lets calls through, numbers newer than brig's tables get ENOSYS too, and with an
 * errno as default so do calls of Linux 5.1 and later that are newer than all that the rules name: libcs then fall
 * back, which EPERM would keep them from (runc does the same).
 *
 * Throws BRIG_SECCOMP_* on rules that cannot be enforced as they stand.
 */
export function compileSeccomp(seccomp: Seccomp, options: SeccompOptions = {}): CompiledSeccomp {
  const host = readHostArch(options.arch);
  const fallback = encodeAction(seccomp.defaultAction, readDefaultErrno(seccomp));
  const rules = checkRules(seccomp);
  const notify = checkNotify(seccomp, rules, fallback);
  const graph = new Graph();
  const tables = selectTables(seccomp, host).map((table) => buildTable(graph, rules, fallback, table));
  return {
    program: writeProgram(graph, tables),
    flags: encodeFlags(seccomp, notify),
    allowed: countZeroAllowed(tables[0]!),
    unknown: listUnknown(rules, host),
  };
}

/** docker and podman write `defaultErrnoRet` whatever the default is; where that has no errno it means nothing. */
function readDefaultErrno(seccomp: Seccomp): number | undefined {
  const takesErrno = seccomp.defaultAction === "SCMP_ACT_ERRNO" || seccomp.defaultAction === "SCMP_ACT_TRACE";
  return takesErrno ? seccomp.defaultErrnoRet : undefined;
}

interface BuiltTable {
  table: SyscallTable;
  calls: Map<number, Node>;
  fallback: Node;
  tree: Node;
}

function buildTable(graph: Graph, rules: CheckedRule[], fallback: number, table: SyscallTable): BuiltTable {
  const calls = new Map<number, Node>();
  for (const [number, decision] of decideCalls(rules, fallback, table)) calls.set(number, buildDecision(graph, decision));
  const background = listBackground(graph, rules, fallback, table);
  const tree = buildRangeTree(graph, joinRanges(background, calls));
  return { table, calls, fallback: graph.return(fallback), tree };
}

/** From the last clause to the first, so that each one's "no" is there already. */
function buildDecision(graph: Graph, { clauses, otherwise }: Decision): Node {
  let next = graph.return(otherwise);
  if (clauses.length === 0) return next;
  for (const { conditions, value } of simplifyClauses(clauses).reverse()) {
    const no = next;
    let yes = graph.return(value);
    for (const condition of [...conditions].reverse()) yes = buildTest(graph, condition, { yes, no });
    next = yes;
    if (graph.size > MAX_NODES) throw refuseSize(graph.size);
  }
  return next;
}

/** Some nodes are left unused when a later clause knows what the accumulator holds: at most every second. */
const MAX_NODES = 4 * MAX_INSTRUCTIONS;
/** From here on the tables of all architectures go together, and calls are younger than Linux 5.1. */
const FIRST_SHARED_NUMBER = 424;

/** What becomes of the numbers that no rule names. */
function listBackground(graph: Graph, rules: CheckedRule[], fallback: number, table: SyscallTable): Segment[] {
  const known = { start: 0, node: graph.return(fallback) };
  const nosys = graph.return(RETURN.SCMP_ACT_ERRNO + ENOSYS);
  if (!isLetThrough(fallback)) return [known, { start: findFirstUnknown(rules, fallback, table), node: nosys }];
  return table === "x64" ? [known, { start: X32_BIT, node: nosys }] : [known];
}

function findFirstUnknown(rules: CheckedRule[], fallback: number, table: SyscallTable): number {
  const end = readLastNumber(table) + 1;
  if ((fallback & 0xffff0000) !== RETURN.SCMP_ACT_ERRNO) return end;
  return Math.max(FIRST_SHARED_NUMBER, findLastNamed(rules, table, end) + 1);
}

function writeProgram(graph: Graph, tables: BuiltTable[]): Uint8Array {
  let entry = graph.return(RETURN.SCMP_ACT_KILL_PROCESS);
  for (const { table, tree } of [...tables].reverse())
    entry = graph.jump("eq", AUDIT_ARCH[table], graph.load(OFFSET_NR, tree), entry);
  const instructions = assemble(graph.load(OFFSET_ARCH, entry));
  if (instructions.length > MAX_INSTRUCTIONS) throw refuseSize(instructions.length);
  return encodeProgram(instructions);
}

function countZeroAllowed({ table, calls, fallback }: BuiltTable): number {
  let count = 0;
  for (const number of readSyscalls(table).values()) if (isAllowed(answerZero(calls.get(number) ?? fallback))) count++;
  return count;
}

/** What the filter returns when every argument is zero: the accumulator is never anything else. */
function answerZero(node: Node): number {
  let at = node;
  while (at.type !== "return") {
    if (at.type !== "jump") at = at.next;
    else at = at.test !== "set" && at.test !== "gt" && at.k === 0 ? at.yes : at.no;
  }
  return at.k;
}

function listUnknown(rules: CheckedRule[], host: HostArch): string[] {
  const native = readSyscalls(host);
  const names = new Set(rules.flatMap((rule) => rule.names));
  return [...names].filter((name) => !native.has(name) && !isKnownSyscall(name));
}

/** What the launcher itself calls between installing the filter and handing over its listener. */
const NEEDED_FOR_LISTENER = ["write", "sendmsg", "close"];

function checkNotify(seccomp: Seccomp, rules: CheckedRule[], fallback: number): boolean {
  if (fallback === RETURN.SCMP_ACT_NOTIFY)
    throw refuseNotify("SCMP_ACT_NOTIFY cannot be the default action: handing over the listener would wait for the listener");
  if (!usesNotify(rules)) return false;
  if (!seccomp.listenerPath) throw refuseNotify("SCMP_ACT_NOTIFY needs listenerPath, the socket of the supervisor that answers");
  const notified = rules.filter((rule) => rule.value === RETURN.SCMP_ACT_NOTIFY).flatMap((rule) => rule.names);
  const stuck = NEEDED_FOR_LISTENER.find((name) => notified.includes(name));
  if (stuck) throw refuseNotify(`SCMP_ACT_NOTIFY cannot be used for ${stuck}: the listener is handed over with it`);
  return true;
}

function refuseNotify(message: string): BrigError {
  return new BrigError(message, {
    code: "BRIG_SECCOMP_NOTIFY",
    hint: "name the calls that a supervisor decides in rules, and let the others be allowed or refused",
  });
}

function refuseSize(size: number): BrigError {
  return new BrigError(`the seccomp rules need a program of ${size} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`, {
    code: "BRIG_SECCOMP_TOO_LARGE",
    hint: "use fewer compares of arguments; rules that name only calls cost almost nothing",
  });
}
