import { BrigError } from "../../error/brig-error.js";
import type { SeccompAction } from "../../spec/oci.js";

/** SECCOMP_RET_* (linux/seccomp.h). */
export const RETURN = {
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
} satisfies Record<SeccompAction, number>;

export const ENOSYS = 38;
const EPERM = 1;
/** MAX_ERRNO: what is higher the kernel would cut (kernel/seccomp.c). */
const MAX_ERRNO = 4095;

/**
 * What the filter returns for an action. `errnoRet` is the errno of SCMP_ACT_ERRNO or the message of
 * SCMP_ACT_TRACE, both EPERM when it is left out; with any other action the OCI specification demands an error.
 */
export function encodeAction(action: SeccompAction, errnoRet: number | undefined): number {
  if (!Object.hasOwn(RETURN, action)) throw refuse(`unknown seccomp action ${JSON.stringify(action)}`);
  if (action !== "SCMP_ACT_ERRNO" && action !== "SCMP_ACT_TRACE") {
    if (errnoRet !== undefined) throw refuse(`${action} takes no errnoRet`);
    return RETURN[action];
  }
  const most = action === "SCMP_ACT_ERRNO" ? MAX_ERRNO : 0xffff;
  const data = errnoRet ?? EPERM;
  if (!Number.isInteger(data) || data < 0 || data > most) throw refuse(`errnoRet ${data} of ${action} is not in 0-${most}`);
  return RETURN[action] + data;
}

/** An action's name and its data (errno, trace message), as the kernel reads a filter's answer. */
export function decodeAction(value: number): { action: SeccompAction; data: number } {
  const found = (Object.keys(RETURN) as SeccompAction[]).find((name) => RETURN[name] === (value & 0xffff0000) >>> 0);
  // kernel/seccomp.c: what is none of the known actions kills the process.
  return { action: found ?? "SCMP_ACT_KILL_PROCESS", data: value & 0xffff };
}

/** "the call goes on, perhaps watched": ALLOW, LOG and TRACE. */
export function isLetThrough(value: number): boolean {
  const action = (value & 0xffff0000) >>> 0;
  return action === RETURN.SCMP_ACT_ALLOW || action === RETURN.SCMP_ACT_LOG || action === RETURN.SCMP_ACT_TRACE;
}

/** Whether the call happens without anybody else's word: ALLOW and LOG. */
export function isAllowed(value: number): boolean {
  return isLetThrough(value) && value >>> 16 !== RETURN.SCMP_ACT_TRACE >>> 16;
}

/**
 * Sorts the most restrictive first, in the order in which the kernel prefers among several filters' answers:
 * the action as a signed number (seccomp(2)). Two errnos are equal, so that a stable sort keeps the rules' order.
 */
export function compareStrictness(a: number, b: number): number {
  return (a & 0xffff0000) - (b & 0xffff0000);
}

function refuse(message: string): BrigError {
  return new BrigError(message, {
    code: "BRIG_SECCOMP_ACTION",
    hint: "see config-linux.md#seccomp of the OCI runtime specification for the actions and what errnoRet may be",
  });
}
