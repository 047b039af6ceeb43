import { describeOrigin, findOrigin } from "../spec/origin.js";
import { BIND, CLONE, CREATE, MOUNT_ATTR, MS, PHASES, RUN, SLOT_NONE } from "./format.js";
import { type ArgumentKind, operationByName, type Step } from "./operations.js";
import type { Plan } from "./plan.js";

const TEXT_LIMIT = 100;
const ORIGIN_COLUMN = 72;

/** A plan as readable lines: its parameters, then one line a step with who asked for it, as `brig plan` prints it. */
export function disassemblePlan(plan: Plan): string[] {
  let number = 0;
  const steps = PHASES.flatMap((phase) => {
    const lines = plan.steps[phase].map((step) => formatLine(plan, step, number++));
    return lines.length > 0 ? [`${phase}:`, ...lines] : [];
  });
  return [...formatRun(plan), ...steps, ...(plan.note.leftOut ?? []).map((what) => `left out: ${what}`)];
}

function formatRun({ run }: Plan): string[] {
  const flags = namesOf(run.flags, RUN);
  const lines = [`run: ${flags.length > 0 ? flags.join(" ").toLowerCase().replaceAll("_", "-") : "plain"}`];
  if (run.cloneFlags) lines.push(`new namespaces: ${namesOf(run.cloneFlags, CLONE).join(" ")}`);
  if (run.cloneCgroupSlot !== SLOT_NONE) lines.push(`begins in the cgroup of slot ${run.cloneCgroupSlot}`);
  if (run.timeoutMs) lines.push(`after ${run.timeoutMs} ms signal ${run.stopSignal}, ${run.graceMs} ms later SIGKILL`);
  return lines;
}

function formatLine(plan: Plan, step: Step, number: number): string {
  const left = `${String(number).padStart(4)}  ${formatStep(step)}`;
  const origin = step.origin === undefined ? undefined : findOrigin(plan.note.origins, step.origin);
  const who = origin ? describeOrigin(origin) : step.origin;
  return who ? `${left.padEnd(ORIGIN_COLUMN)}  # ${who}` : left;
}

/** "bind source=/usr target=/usr set=rdonly,nosuid" */
export function formatStep(step: Step): string {
  const operation = operationByName(step.op);
  const values = step as unknown as Record<string, unknown>;
  const words = operation.arguments
    .map(([name, kind]) => [name, formatValue(step.op, name, kind, values[name])] as const)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name}=${text}`);
  return [step.op.toLowerCase().replaceAll("_", "-"), ...words, ...(step.optional ? ["(may fail)"] : [])].join(" ");
}

/** Numbers that mean nothing are left out; flags are named. */
function formatValue(op: string, name: string, kind: ArgumentKind, value: unknown): string {
  if (typeof value === "number") return value === 0 && !KEPT.has(name) ? "" : formatNumber(op, name, kind, value);
  if (typeof value === "bigint") return value === 2n ** 64n - 1n ? "unlimited" : String(value);
  if (typeof value === "string") return quote(value);
  if (value instanceof Uint8Array) return value.length === 0 ? "" : kind === "bytes" && name === "filter" ? `${value.length / 8} instructions` : `${value.length} bytes`;
  if (Array.isArray(value)) return value.length === 0 ? "" : `[${cut(value.map((item) => quote(String(item))).join(" "))}]`;
  return cut(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `0x${item.toString(16)}` : item)));
}

/** Here a zero is a value like others. */
const KEPT = new Set(["slot", "uid", "gid", "mode", "mask", "resource", "descriptor", "value", "major", "minor", "nice"]);
const OCTAL = new Set(["mode", "mask"]);

function formatNumber(op: string, name: string, kind: ArgumentKind, value: number): string {
  if (kind === "slotOrNone" && value === SLOT_NONE) return op === "IDMAP" ? "own" : "none";
  if (value === 0xffffffff && (name === "uid" || name === "gid")) return "";
  const flags = FLAG_NAMES[`${op}.${name}`] ?? FLAG_NAMES[name];
  if (flags) return namesOf(value, flags).join(",").toLowerCase() || String(value);
  if (name === "create") return (Object.entries(CREATE).find(([, number]) => number === value)?.[0] ?? String(value)).toLowerCase();
  return OCTAL.has(name) && op !== "PTY" ? `0${value.toString(8)}` : String(value);
}

const FLAG_NAMES: Record<string, Record<string, number>> = {
  set: MOUNT_ATTR, clear: MOUNT_ATTR, attributes: MOUNT_ATTR, propagation: MS,
  "PROPAGATION.flags": MS, "BIND.flags": BIND, "SETNS.flags": CLONE, "UNSHARE.flags": CLONE,
};

function namesOf(value: number, flags: Record<string, number>): string[] {
  const known = Object.entries(flags).filter(([, flag]) => Math.floor(value / flag) % 2 === 1 && isPowerOfTwo(flag));
  const rest = known.reduce((left, [, flag]) => left - flag, value);
  return [...known.map(([name]) => name), ...(rest > 0 ? [`0x${rest.toString(16)}`] : [])];
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

/** Control characters are shown and not sent to a terminal. */
function quote(text: string): string {
  const shown = cut(text);
  return /^[\w./:=%@,+-]+$/.test(shown) ? shown : JSON.stringify(shown).replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function cut(text: string): string {
  return text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT - 1)}…` : text;
}
