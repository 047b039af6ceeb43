import { findNearest } from "../../spec/nearest.js";
import type { Rlimit } from "../../spec/oci.js";
import { RLIMIT_INFINITY, RLIMIT_NAMES } from "../../spec/rlimit-names.js";
import { refuseValue } from "./bad-value.js";
import { parseSize } from "./size.js";

const BYTES = new Set(["FSIZE", "DATA", "STACK", "CORE", "RSS", "MEMLOCK", "AS", "MSGQUEUE"]);

/**
 * "NAME=SOFT[:HARD]", as docker's `--ulimit`: "nofile=1024:4096", "core=0", "as=1g", "nproc=unlimited". One value is
 * both limits. The limits in bytes take sizes; "unlimited" (or "infinity", "-1") is `RLIMIT_INFINITY`.
 *
 * @throws BrigError BRIG_BAD_VALUE: an unknown name, no number, soft above hard
 */
export function parseRlimit(value: string, where = "rlimit"): Rlimit {
  const match = /^(?:RLIMIT_)?([a-z]+)=([^:]+)(?::([^:]+))?$/i.exec(value);
  if (!match) refuseValue(value, where, "is not a resource limit", "write NAME=LIMIT or NAME=SOFT:HARD, such as nofile=1024:4096");
  const [, name = "", first = "", second = first] = match;
  const type = findType(name, value, where);
  const soft = readLimit(type, first, where);
  const hard = readLimit(type, second, where);
  if (soft > hard) refuseValue(value, where, "has a soft limit above the hard one", "the soft limit comes first and is the lower");
  return { type, soft, hard };
}

function findType(name: string, value: string, where: string): string {
  const type = `RLIMIT_${name.toUpperCase()}`;
  if (RLIMIT_NAMES.includes(type)) return type;
  const names = RLIMIT_NAMES.map((known) => known.slice("RLIMIT_".length).toLowerCase());
  const nearest = findNearest(name, names);
  refuseValue(value, where, "names no resource limit", nearest ? `did you mean ${nearest}?` : `the limits are ${names.join(", ")}`);
}

function readLimit(type: string, text: string, where: string): number {
  if (/^(unlimited|infinity|-1)$/i.test(text)) return RLIMIT_INFINITY;
  if (BYTES.has(type.slice("RLIMIT_".length))) return parseSize(text, where);
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) refuseValue(text, where, "is not a limit", 'write a whole number or "unlimited"');
  return count;
}
