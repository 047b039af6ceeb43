import { fc } from "../fast-check.js";
import { PHASES } from "../../src/plan/format.js";
import { type ArgumentKind, OPERATIONS, mayStandIn, operationByName, type OperationName, type Step } from "../../src/plan/operations.js";
import { makeEmptyPlan, type Plan, type Witness } from "../../src/plan/plan.js";

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((value) => value.replaceAll("\0", "·"));
const present = text.map((value) => value || "/");

const ARGUMENTS: Record<ArgumentKind, fc.Arbitrary<unknown>> = {
  slot: fc.integer({ min: 0, max: 511 }),
  slotOrNone: fc.oneof(fc.integer({ min: 0, max: 511 }), fc.constant(0xffffffff)),
  path: present,
  string: text,
  list: fc.array(text, { maxLength: 5 }),
  words: fc.array(text, { maxLength: 5 }),
  u32,
  i32: fc.integer(),
  u64,
  text: fc.string({ unit: "grapheme" }),
  bytes: fc.uint8Array({ maxLength: 80 }),
  ids: fc.array(u32, { maxLength: 5 }),
  capabilities: fc.record({ bounding: u64, effective: u64, permitted: u64, inheritable: u64, ambient: u64 }),
  landlock: fc.record({
    handledFs: u64, handledNet: u64, scoped: u64,
    paths: fc.array(fc.record({ path: text, access: u64, optional: fc.boolean() }), { maxLength: 4 }),
    ports: fc.array(fc.record({ port: fc.integer({ min: 0, max: 65535 }), access: u64 }), { maxLength: 4 }),
  }),
};

function stepsOf(name: OperationName): fc.Arbitrary<Step> {
  const fields = Object.fromEntries(operationByName(name).arguments.map(([key, kind]) => [key, ARGUMENTS[kind]]));
  return fc.record({
    op: fc.constant(name), ...fields,
    extras: fc.record({ origin: fc.constantFrom("/root", "/mounts/0", "/process/args"), optional: fc.constant(true), substitute: fc.constant(true) }, { requiredKeys: [] }),
  }).map(({ extras, ...step }) => ({ ...step, ...extras }) as unknown as Step);
}

const witness: fc.Arbitrary<Witness> = fc.oneof(
  fc.record({ kind: fc.constant("file" as const), path: text, mode: u32, dev: u64, ino: u64, size: u64, mtimeNs: i64, ctimeNs: i64 }),
  fc.record({ kind: fc.constant("env" as const), name: text, value: fc.option(text, { nil: undefined }) }),
  fc.record({ kind: fc.constant("words" as const), words: fc.array(text) }),
  fc.record({ kind: fc.constant("cwd" as const), folder: text }),
  fc.record({ kind: fc.constant("ids" as const), uid: u32, gid: u32, groups: u64 }),
  fc.record({ kind: fc.constant("tty" as const), bits: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant("access" as const), path: text, mode: u32, granted: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom("stat" as const, "lstat" as const), path: text,
    answer: fc.oneof(fc.record({ mode: fc.integer({ min: 1, max: 0xffff }), uid: u32, dev: u64, ino: u64 }), fc.record({ errno: fc.nat(133) })),
  }),
  fc.record({ kind: fc.constantFrom("link" as const, "real" as const), path: text, answer: fc.option(text.filter((each) => each !== ""), { nil: undefined }) }),
  fc.record({
    kind: fc.constant("names" as const), path: text, prefix: text, sum: fc.option(u64, { nil: undefined }),
    folder: fc.option(fc.record({ dev: u64, ino: u64.filter((each) => each !== 0n), mtimeNs: i64 }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("absent" as const), path: text, names: fc.array(text.filter((each) => each !== "" && !each.includes("/"))),
    folder: fc.option(fc.record({ dev: u64, ino: u64.filter((each) => each !== 0n), mtimeNs: i64 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("content" as const), path: text, mode: u32, dev: u64, ino: u64, size: u64, mtimeNs: i64, ctimeNs: i64 }),
  fc.record({ kind: fc.constant("text" as const), path: text, hash: fc.option(u64, { nil: undefined }) }),
  fc.record({ kind: fc.constant("caps" as const), effective: u64 }),
);

/** Any plan that the format can hold. */
export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.record(Object.fromEntries(PHASES.map((phase) => {
    const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => mayStandIn(operationByName(name), phase));
    return [phase, fc.array(fc.oneof(...names.map(stepsOf)), { maxLength: 6 })];
  }))) as unknown as fc.Arbitrary<Plan["steps"]>,
  run: fc.record({
    flags: u32, cloneFlags: u32, cloneCgroupSlot: ARGUMENTS.slotOrNone as fc.Arbitrary<number>, timeoutMs: u32, graceMs: u32, stopSignal: u32,
    log: text, logMaxBytes: u32, id: text, detachKeys: text,
  }),
  witnesses: fc.array(witness, { maxLength: 5 }),
  build: u64.map((value) => value.toString(16).padStart(16, "0")),
  note: fc.record({ words: fc.array(text), leftOut: fc.array(text) }, { requiredKeys: [] }),
}).map((plan) => ({ ...makeEmptyPlan(), ...plan }));
