import { BrigError } from "../../error/brig-error.js";
import type { Seccomp } from "../../spec/oci.js";

/** SECCOMP_FILTER_FLAG_* (linux/seccomp.h). */
const FLAGS: Record<string, number> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1 << 0,
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
};
const NEW_LISTENER = 1 << 3;
const TSYNC_ESRCH = 1 << 4;

/**
 * The flags of seccomp(2), as the spec has them: none unless it names them. Whether somebody listens follows from
 * the rules; then TSYNC needs its other way to report an error (the answer is the listener's descriptor), and
 * without a listener WAIT_KILLABLE_RECV means nothing and the kernel refuses it. Throws on an unknown flag.
 */
export function encodeFlags(seccomp: Seccomp, notify: boolean): number {
  let flags = notify ? NEW_LISTENER : 0;
  for (const name of seccomp.flags ?? []) flags |= readFlag(name);
  if (!notify) return flags & ~FLAGS["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]!;
  return flags & FLAGS["SECCOMP_FILTER_FLAG_TSYNC"]! ? flags | TSYNC_ESRCH : flags;
}

function readFlag(name: string): number {
  if (Object.hasOwn(FLAGS, name)) return FLAGS[name]!;
  throw new BrigError(`unknown seccomp flag ${JSON.stringify(name)}`, {
    code: "BRIG_SECCOMP_FLAG",
    hint: `the flags are ${Object.keys(FLAGS).join(", ")}`,
  });
}
