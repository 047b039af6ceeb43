import { BrigError } from "../error/brig-error.js";
import { addWords, makeHash } from "./checksum.js";
import { type Blob, type DataWriter, makeDataWriter } from "./data-writer.js";
import {
  HEADER, HEADER_SIZE, PHASES, PLAN_MAGIC, PLAN_MAX_SIZE, PLAN_VERSION, STEP_ID, STEP_OPTIONAL, STEP_SIZE, WITNESS,
  WITNESS_FIELDS, WITNESS_SIZE,
} from "./format.js";
import { type ArgumentKind, mayStandIn, operationByName, type Step } from "./operations.js";
import { type FolderState, listSteps, type Plan, type Witness } from "./plan.js";

/**
 * The bytes of a plan, as launcher/plan.h lays them out.
 * @throws BrigError BRIG_BAD_TEXT (a NUL in a string), BRIG_PLAN_TOO_LARGE, BRIG_BAD_PLAN (a step in a wrong phase)
 */
export function encodePlan(plan: Plan): Uint8Array {
  const listed = listSteps(plan);
  const data = makeDataWriter();
  const witnessesAt = HEADER_SIZE + listed.length * STEP_SIZE;
  const dataAt = witnessesAt + plan.witnesses.length * WITNESS_SIZE;
  const head = Buffer.alloc(dataAt);
  listed.forEach(({ phase, step }, index) => {
    if (!mayStandIn(operationByName(step.op), phase)) throw misplaced(step, phase);
    writeStep(head, HEADER_SIZE + index * STEP_SIZE, step, data);
  });
  plan.witnesses.forEach((witness, index) => writeWitness(head, witnessesAt + index * WITNESS_SIZE, witness, data));
  const strings = { log: data.addString(plan.run.log), id: data.addString(plan.run.id), keys: data.addString(plan.run.detachKeys) };
  const content = data.finish();
  const note = Buffer.from(JSON.stringify(withStepOrigins(plan)));
  const size = dataAt + content.length + note.length;
  if (size > PLAN_MAX_SIZE)
    throw new BrigError(`the sandbox's plan is larger than ${PLAN_MAX_SIZE >> 20} MiB`, { code: "BRIG_PLAN_TOO_LARGE" });
  writeHeader(head, plan, { size, data: content.length, note: note.length, ...strings });
  const whole = Buffer.concat([head, content, note], size);
  const hash = addWords(makeHash(), whole, HEADER.checksum + 8, size - note.length);
  whole.writeInt32LE(hash.low, HEADER.checksum);
  whole.writeInt32LE(hash.high, HEADER.checksum + 4);
  return whole;
}

interface Sizes {
  size: number;
  data: number;
  note: number;
  log: number;
  id: number;
  keys: number;
}

function writeHeader(head: Buffer, plan: Plan, sizes: Sizes): void {
  const { run } = plan;
  head.write(PLAN_MAGIC, HEADER.magic, "latin1");
  head.writeUInt32LE(PLAN_VERSION, HEADER.version);
  head.writeUInt32LE(sizes.size, HEADER.size);
  head.writeBigUInt64LE(BigInt(`0x${plan.build}`), HEADER.build);
  PHASES.forEach((phase, index) => head.writeUInt32LE(plan.steps[phase].length, HEADER.steps + 4 * index));
  head.writeUInt32LE(plan.witnesses.length, HEADER.witness_count);
  head.writeUInt32LE(sizes.data, HEADER.data_size);
  head.writeUInt32LE(sizes.note, HEADER.note_size);
  head.writeUInt32LE(run.flags, HEADER.run_flags);
  head.writeUInt32LE(run.cloneCgroupSlot, HEADER.clone_cgroup_slot);
  head.writeBigUInt64LE(BigInt(run.cloneFlags), HEADER.clone_flags);
  head.writeBigUInt64LE(BigInt(run.timeoutMs), HEADER.timeout_ms);
  head.writeUInt32LE(run.graceMs, HEADER.grace_ms);
  head.writeUInt32LE(run.stopSignal, HEADER.stop_signal);
  head.writeUInt32LE(sizes.log, HEADER.log);
  head.writeUInt32LE(run.logMaxBytes, HEADER.log_max_bytes);
  head.writeUInt32LE(sizes.id, HEADER.id);
  head.writeUInt32LE(sizes.keys, HEADER.detach_keys);
}

function writeStep(head: Buffer, at: number, step: Step, data: DataWriter): void {
  const operation = operationByName(step.op);
  const values = step as unknown as Record<string, never>;
  head.writeUInt16LE(operation.number, at);
  head.writeUInt16LE((step.optional ? STEP_OPTIONAL : 0) | (step.substitute ? STEP_ID : 0), at + 2);
  let word = at + 4;
  for (const [name, kind] of operation.arguments) word = writeArgument(head, word, kind, values[name] as never, data);
}

function writeArgument(head: Buffer, at: number, kind: ArgumentKind, value: never, data: DataWriter): number {
  switch (kind) {
    case "slot":
    case "slotOrNone":
    case "u32":
      return head.writeUInt32LE(value, at);
    case "i32":
      return head.writeInt32LE(value, at);
    case "u64":
      return head.writeBigUInt64LE(value, at);
    case "path":
      return head.writeUInt32LE(data.addString(checkPresent(value)), at);
    case "string":
      return head.writeUInt32LE(data.addString(value), at);
    case "list":
    case "words":
      return head.writeUInt32LE(data.addList(value), at);
    case "text":
      return writeBlob(head, at, data.addText(value));
    case "bytes":
      return writeBlob(head, at, data.addBytes(value));
    case "ids":
      return writeBlob(head, at, data.addIds(value));
    case "capabilities":
      return writeBlob(head, at, data.addCapabilities(value));
    case "landlock":
      return writeBlob(head, at, data.addLandlock(value));
  }
}

/** An empty string is offset 0, which the launcher takes for a missing one. */
function checkPresent(text: string): string {
  if (text !== "") return text;
  throw new BrigError("a kernel step needs a text that is not empty", { code: "BRIG_BAD_TEXT", hint: "an option or a setting has an empty value" });
}

function writeBlob(head: Buffer, at: number, blob: Blob): number {
  return head.writeUInt32LE(blob.size, head.writeUInt32LE(blob.offset, at));
}

function writeWitness(head: Buffer, at: number, witness: Witness, data: DataWriter): void {
  const put: Put<number> = (field, value) => void head.writeUInt32LE(value, at + WITNESS_FIELDS[field]);
  const putLong: Put<bigint> = (field, value) => void (value !== 0n && head.writeBigInt64LE(BigInt.asIntN(64, value), at + WITNESS_FIELDS[field]));
  put("kind", WITNESS[witness.kind.toUpperCase() as keyof typeof WITNESS]);
  switch (witness.kind) {
    case "file":
    case "content":
      put("path", data.addString(witness.path));
      put("mode", witness.mode);
      putLong("dev", witness.dev);
      putLong("ino", witness.ino);
      putLong("size", witness.size);
      putLong("mtime_ns", witness.mtimeNs);
      return putLong("ctime_ns", witness.ctimeNs);
    case "env":
      put("path", data.addString(witness.name));
      return put("value", witness.value === undefined ? 0 : addPresentValue(data, witness.value));
    case "words":
      return put("value", data.addList(witness.words));
    case "cwd":
      return put("value", data.addString(witness.folder));
    case "ids":
      putLong("dev", BigInt(witness.uid));
      putLong("ino", BigInt(witness.gid));
      return putLong("size", witness.groups);
    case "tty":
      return putLong("dev", BigInt(witness.bits));
    default:
      return writeAnswer(witness, put, putLong, data);
  }
}

type Put<T> = (field: keyof typeof WITNESS_FIELDS, value: T) => void;
type Answer = Exclude<Witness, { kind: "file" | "content" | "env" | "words" | "cwd" | "ids" | "tty" }>;

function writeAnswer(witness: Answer, put: Put<number>, putLong: Put<bigint>, data: DataWriter): void {
  if (witness.kind === "caps") return putLong("size", witness.effective);
  put("path", data.addString(witness.path));
  switch (witness.kind) {
    case "access":
      if (witness.mode !== 0) put("mode", witness.mode);
      return void (witness.granted && put("dev", 1));
    case "stat":
    case "lstat":
      if ("errno" in witness.answer) return putLong("size", BigInt(witness.answer.errno));
      put("mode", witness.answer.mode);
      putLong("dev", witness.answer.dev);
      putLong("ino", witness.answer.ino);
      return putLong("size", BigInt(witness.answer.uid));
    case "link":
    case "real":
      return put("value", data.addString(witness.answer ?? ""));
    case "names":
      put("value", data.addString(witness.prefix));
      put("mode", witness.sum === undefined ? 0 : 1);
      putLong("size", witness.sum ?? 0n);
      return putFolder(witness.folder, putLong);
    case "absent":
      put("value", data.addString(witness.names.join("/")));
      return putFolder(witness.folder, putLong);
    case "text":
      put("mode", witness.hash === undefined ? 0 : 1);
      return putLong("size", witness.hash ?? 0n);
  }
}

function putFolder(folder: FolderState | undefined, putLong: Put<bigint>): void {
  if (!folder) return;
  putLong("dev", folder.dev);
  putLong("ino", folder.ino);
  putLong("mtime_ns", folder.mtimeNs);
}

/** Offset 0 would mean "must be unset": a variable that is set to nothing needs an empty string elsewhere. */
function addPresentValue(data: DataWriter, value: string): number {
  return value === "" ? data.addBytes(new Uint8Array(1)).offset : data.addString(value);
}

/** The note with each step's origin: pointers once, and for each step which of them it has (-1: none). */
function withStepOrigins(plan: Plan): unknown {
  const pointers: string[] = [];
  const places = new Map<string, number>();
  const steps = listSteps(plan).map(({ step }) => {
    if (step.origin === undefined) return -1;
    let place = places.get(step.origin);
    if (place === undefined) places.set(step.origin, (place = pointers.push(step.origin) - 1));
    return place;
  });
  return { ...plan.note, pointers, steps };
}

function misplaced(step: Step, phase: string): BrigError {
  return new BrigError(`${step.op} may not stand in the phase ${phase}`, { code: "BRIG_BAD_PLAN" });
}
