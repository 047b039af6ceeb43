import type { Seccomp } from "../../spec/oci.js";
import { ENOSYS, RETURN } from "../seccomp/actions.js";
import { AUDIT_ARCH } from "../seccomp/architectures.js";
import { decodeProgram, encodeProgram, type Instruction, JUMP, LOAD, RETURN_VALUE, TESTS } from "../seccomp/bpf.js";
import { type SyscallTable, readSyscalls } from "../seccomp/tables.js";
import type { WatchedCall } from "./calls.js";

const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
/** The lower half of the second argument. */
const OFFSET_FLAGS = 24;
const NEW_LISTENER = 1 << 3;
const EBUSY = 16;

const statement = (code: number, k: number): Instruction => ({ code, yes: 0, no: 0, k });
const test = (name: keyof typeof TESTS, k: number, yes: number, no: number): Instruction => ({ code: TESTS[name], yes, no, k });

/**
 * The filter that is installed in place of `program` (empty: none) where calls are watched: the watched ones, and those
 * that `program` refuses with an errno, ask the watcher, who knows `program` too. What `program` kills is killed, and
 * what it answers with ENOSYS gets that: libcs look for a kernel's age that way, which is no denial.
 *
 * A listener of the payload's own would have the last word over the watcher's (linux/seccomp.h), so that none is to be
 * had: EBUSY, as the kernel itself has answered to a second one so far.
 *
 * @param tables the machine's own first, then others that `program` admits
 */
export function makeWatchFilter(program: Uint8Array, calls: readonly WatchedCall[], tables: readonly SyscallTable[]): Uint8Array {
  const [native, ...others] = tables;
  const blocks = [...watchArchitecture(native!, calls), ...others.flatMap((table) => watchArchitecture(table, []))];
  const rest = program.length === 0 ? [statement(RETURN_VALUE, RETURN.SCMP_ACT_ALLOW)] : decodeProgram(program).map(askInPlaceOfErrno);
  return encodeProgram([...blocks, ...rest]);
}

function watchArchitecture(table: SyscallTable, calls: readonly WatchedCall[]): Instruction[] {
  const body = [...refuseListener(readSyscalls(table).get("seccomp") ?? -1), ...askFor(calls)];
  return [statement(LOAD, OFFSET_ARCH), test("eq", AUDIT_ARCH[table], 1, 0), statement(JUMP, body.length), ...body];
}

function refuseListener(seccomp: number): Instruction[] {
  return [
    statement(LOAD, OFFSET_NR),
    test("eq", seccomp, 0, 4),
    statement(LOAD, OFFSET_FLAGS),
    test("set", NEW_LISTENER, 0, 1),
    statement(RETURN_VALUE, RETURN.SCMP_ACT_ERRNO + EBUSY),
    statement(LOAD, OFFSET_NR),
  ];
}

function askFor(calls: readonly WatchedCall[]): Instruction[] {
  const tests = calls.map(({ number }, index) => test("eq", number, calls.length - index, 0));
  return [...tests, statement(JUMP, 1), statement(RETURN_VALUE, RETURN.SCMP_ACT_NOTIFY)];
}

function askInPlaceOfErrno(instruction: Instruction): Instruction {
  const refuses = instruction.code === RETURN_VALUE && (instruction.k & 0xffff0000) >>> 0 === RETURN.SCMP_ACT_ERRNO && (instruction.k & 0xffff) !== ENOSYS;
  return refuses ? { ...instruction, k: RETURN.SCMP_ACT_NOTIFY } : instruction;
}

const ANSWERED = new Set(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_ERRNO"]);

/** Whether the filter does nothing to a call that a watcher could not do for it: it is let through, or gets an errno. */
export function canBeWatched(seccomp: Seccomp | undefined, name: string): boolean {
  if (!seccomp) return true;
  const rules = (seccomp.syscalls ?? []).filter(({ names }) => names.includes(name));
  const isDecided = ANSWERED.has(seccomp.defaultAction) || rules.some(({ args }) => !args?.length);
  return isDecided && rules.every(({ action }) => ANSWERED.has(action));
}
