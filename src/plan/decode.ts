import { BrigError } from "../error/brig-error.js";
import { addWords, hashToBigInt, makeHash } from "./checksum.js";
import { type DataReader, makeDataReader } from "./data-reader.js";
import {
  HEADER, HEADER_SIZE, PHASES, type Phase, PLAN_MAGIC, PLAN_MAX_SIZE, PLAN_PREFIX, PLAN_VERSION, SLOT_COUNT, SLOT_NONE, STEP_ID,
  STEP_OPTIONAL, STEP_SIZE, WITNESS, WITNESS_FIELDS, WITNESS_SIZE,
} from "./format.js";
import { type ArgumentKind, mayStandIn, operationByNumber, type Step, WIDTHS } from "./operations.js";
import { type FolderState, makeEmptyPlan, type Note, type Plan, type Witness } from "./plan.js";

/**
 * A plan from its bytes, with or without the prefix of an executable plan. Everything is checked, as the launcher
 * checks it.
 * @throws BrigError BRIG_BAD_PLAN
 */
export function decodePlan(bytes: Uint8Array): Plan {
  const whole = skipPrefix(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  checkFrame(whole);
  const counts = PHASES.map((_, index) => whole.readUInt32LE(HEADER.steps + 4 * index));
  const stepCount = counts.reduce((sum, count) => sum + count, 0);
  const witnessCount = whole.readUInt32LE(HEADER.witness_count);
  const noteSize = whole.readUInt32LE(HEADER.note_size);
  const witnessesAt = HEADER_SIZE + stepCount * STEP_SIZE;
  const dataAt = witnessesAt + witnessCount * WITNESS_SIZE;
  const dataSize = whole.readUInt32LE(HEADER.data_size);
  if (dataAt + dataSize + noteSize !== whole.length) throw bad("its parts do not fill it");
  checkSum(whole, noteSize);
  const data = makeDataReader(whole.subarray(dataAt, dataAt + dataSize));
  const plan = makeEmptyPlan();
  readParameters(whole, plan, data);
  let at = HEADER_SIZE;
  PHASES.forEach((phase, index) => {
    for (let n = counts[index] as number; n > 0; n--, at += STEP_SIZE) plan.steps[phase].push(readStep(whole, at, phase, data));
  });
  for (let n = 0; n < witnessCount; n++) plan.witnesses.push(readWitness(whole, witnessesAt + n * WITNESS_SIZE, data));
  readNote(plan, whole.toString("utf8", whole.length - noteSize), stepCount);
  return plan;
}

function skipPrefix(bytes: Buffer): Buffer {
  return bytes.length >= PLAN_PREFIX && bytes[0] === 0x23 && bytes[1] === 0x21 ? bytes.subarray(PLAN_PREFIX) : bytes;
}

function checkFrame(whole: Buffer): void {
  if (whole.length < HEADER_SIZE) throw bad("it is cut short");
  if (whole.toString("latin1", 0, 8) !== PLAN_MAGIC) throw bad("it does not begin as one");
  const version = whole.readUInt32LE(HEADER.version);
  if (version !== PLAN_VERSION) throw bad(`it is of version ${version}, not ${PLAN_VERSION}`);
  if (whole.length > PLAN_MAX_SIZE) throw bad("it is too large");
  if (whole.readUInt32LE(HEADER.size) !== whole.length) throw bad("it is cut short or has something behind it");
}

function checkSum(whole: Buffer, noteSize: number): void {
  const sum = hashToBigInt(addWords(makeHash(), whole, HEADER.checksum + 8, whole.length - noteSize));
  if (sum !== whole.readBigUInt64LE(HEADER.checksum)) throw bad("it was altered: its checksum is wrong");
}

function readParameters(whole: Buffer, plan: Plan, data: DataReader): void {
  plan.build = whole.readBigUInt64LE(HEADER.build).toString(16).padStart(16, "0");
  plan.run = {
    flags: whole.readUInt32LE(HEADER.run_flags),
    cloneFlags: Number(whole.readBigUInt64LE(HEADER.clone_flags)),
    cloneCgroupSlot: checkSlot(whole.readUInt32LE(HEADER.clone_cgroup_slot), true),
    timeoutMs: Number(whole.readBigUInt64LE(HEADER.timeout_ms)),
    graceMs: whole.readUInt32LE(HEADER.grace_ms),
    stopSignal: whole.readUInt32LE(HEADER.stop_signal),
    log: data.readString(whole.readUInt32LE(HEADER.log)),
    logMaxBytes: whole.readUInt32LE(HEADER.log_max_bytes),
    id: data.readString(whole.readUInt32LE(HEADER.id)),
    detachKeys: data.readString(whole.readUInt32LE(HEADER.detach_keys)),
  };
}

function readStep(whole: Buffer, at: number, phase: Phase, data: DataReader): Step {
  const operation = operationByNumber(whole.readUInt16LE(at));
  if (!operation) throw bad(`it has an unknown operation, ${whole.readUInt16LE(at)}`);
  if (!mayStandIn(operation, phase)) throw bad(`${operation.name} may not stand in the phase ${phase}`);
  const flags = whole.readUInt16LE(at + 2);
  if (flags & ~(STEP_OPTIONAL | STEP_ID)) throw bad(`${operation.name} has an unknown flag`);
  const step: Record<string, unknown> = { op: operation.name };
  let word = at + 4;
  for (const [name, kind] of operation.arguments) {
    step[name] = readArgument(whole, word, kind, data);
    word += 4 * WIDTHS[kind];
  }
  if (flags & STEP_OPTIONAL) step["optional"] = true;
  if (flags & STEP_ID) step["substitute"] = true;
  return step as unknown as Step;
}

function readArgument(whole: Buffer, at: number, kind: ArgumentKind, data: DataReader): unknown {
  const first = whole.readUInt32LE(at);
  switch (kind) {
    case "slot":
      return checkSlot(first, false);
    case "slotOrNone":
      return checkSlot(first, true);
    case "u32":
      return first;
    case "i32":
      return first | 0;
    case "u64":
      return whole.readBigUInt64LE(at);
    case "path":
      if (first === 0) throw bad("a step lacks a text");
      return data.readString(first);
    case "string":
      return data.readString(first);
    case "words":
      if (first === 0) throw bad("a step lacks a list");
      return data.readList(first);
    case "list":
      return first === 0 ? [] : data.readList(first);
    default:
      return readBlob(kind, data, first, whole.readUInt32LE(at + 4));
  }
}

function readBlob(kind: "text" | "bytes" | "ids" | "capabilities" | "landlock", data: DataReader, offset: number, size: number): unknown {
  switch (kind) {
    case "text":
      return data.readBytes(offset, size).toString("utf8");
    case "bytes":
      return Uint8Array.from(data.readBytes(offset, size));
    case "ids":
      return data.readIds(offset, size);
    case "capabilities":
      return data.readCapabilities(offset, size);
    case "landlock":
      return data.readLandlock(offset, size);
  }
}

function checkSlot(slot: number, mayBeNone: boolean): number {
  if (slot < SLOT_COUNT || (mayBeNone && slot === SLOT_NONE)) return slot;
  throw bad(`there is no slot ${slot}`);
}

function readWitness(whole: Buffer, at: number, data: DataReader): Witness {
  const get = (field: keyof typeof WITNESS_FIELDS): number => whole.readUInt32LE(at + WITNESS_FIELDS[field]);
  const long = (field: keyof typeof WITNESS_FIELDS): bigint => whole.readBigUInt64LE(at + WITNESS_FIELDS[field]);
  const time = (field: keyof typeof WITNESS_FIELDS): bigint => whole.readBigInt64LE(at + WITNESS_FIELDS[field]);
  const path = data.readString(get("path"));
  switch (get("kind")) {
    case WITNESS.FILE:
      return { kind: "file", path, mode: get("mode"), dev: long("dev"), ino: long("ino"), size: long("size"), mtimeNs: time("mtime_ns"), ctimeNs: time("ctime_ns") };
    case WITNESS.ENV:
      return { kind: "env", name: path, value: get("value") === 0 ? undefined : data.readString(get("value")) };
    case WITNESS.WORDS:
      return { kind: "words", words: data.readList(get("value")) };
    case WITNESS.CWD:
      return { kind: "cwd", folder: data.readString(get("value")) };
    case WITNESS.IDS:
      return { kind: "ids", uid: Number(long("dev")), gid: Number(long("ino")), groups: long("size") };
    case WITNESS.TTY:
      return { kind: "tty", bits: Number(long("dev")) };
    case WITNESS.CAPS:
      return { kind: "caps", effective: long("size") };
    default:
      return readAnswer(get, long, time, path, data);
  }
}

type Get<T> = (field: keyof typeof WITNESS_FIELDS) => T;

function readAnswer(get: Get<number>, long: Get<bigint>, time: Get<bigint>, path: string, data: DataReader): Witness {
  const mode = get("mode");
  const text = get("value") === 0 ? undefined : data.readString(get("value"));
  switch (get("kind")) {
    case WITNESS.ACCESS:
      return { kind: "access", path, mode, granted: long("dev") !== 0n };
    case WITNESS.STAT:
    case WITNESS.LSTAT: {
      const answer = mode === 0 ? { errno: Number(long("size")) } : { mode, uid: Number(long("size")), dev: long("dev"), ino: long("ino") };
      return { kind: get("kind") === WITNESS.STAT ? "stat" : "lstat", path, answer };
    }
    case WITNESS.LINK:
      return { kind: "link", path, answer: text };
    case WITNESS.REAL:
      return { kind: "real", path, answer: text };
    case WITNESS.NAMES:
      return { kind: "names", path, prefix: text ?? "", sum: mode === 0 ? undefined : long("size"), folder: readFolder(long, time) };
    case WITNESS.ABSENT:
      return { kind: "absent", path, names: text?.split("/") ?? [], folder: readFolder(long, time) };
    case WITNESS.CONTENT:
      return { kind: "content", path, mode, dev: long("dev"), ino: long("ino"), size: long("size"), mtimeNs: time("mtime_ns"), ctimeNs: time("ctime_ns") };
    case WITNESS.TEXT:
      return { kind: "text", path, hash: mode === 0 ? undefined : long("size") };
    default:
      throw bad("it has an unknown kind of witness");
  }
}

function readFolder(long: Get<bigint>, time: Get<bigint>): FolderState | undefined {
  return long("ino") === 0n ? undefined : { dev: long("dev"), ino: long("ino"), mtimeNs: time("mtime_ns") };
}

/** Puts the steps' origins back where `encodePlan` took them from. */
function readNote(plan: Plan, text: string, stepCount: number): void {
  const note = parseNote(text);
  const { pointers, steps } = note;
  plan.note = note;
  if (!Array.isArray(pointers) || !Array.isArray(steps) || steps.length !== stepCount) throw bad("its note does not fit its steps");
  let index = 0;
  for (const phase of PHASES)
    for (const step of plan.steps[phase]) {
      const pointer = pointers[steps[index++] ?? -1];
      if (typeof pointer === "string") step.origin = pointer;
    }
}

function parseNote(text: string): Note {
  try {
    const note: unknown = JSON.parse(text);
    if (typeof note === "object" && note !== null) return note;
  } catch {
    // said below
  }
  throw bad("its note is no JSON");
}

function bad(problem: string): BrigError {
  return new BrigError(`this is no whole plan: ${problem}`, { code: "BRIG_BAD_PLAN", hint: "compile it again with `brig plan --out FILE …`" });
}
