import { addWords, makeHash } from "./checksum.js";
import { HEADER, HEADER_SIZE, PHASES, STEP_SIZE } from "./format.js";
import { operationByName } from "./operations.js";
import { BrigError } from "../error/brig-error.js";

/** What differs between two executions behind the same walls. */
export interface Payload {
  /** Absolute paths, tried in this order. */
  candidates: readonly string[];
  argv: readonly string[];
  /** "NAME=value". */
  env: readonly string[];
  cwd?: string | undefined;
  timeoutMs?: number | undefined;
  graceMs?: number | undefined;
}

/**
 * A copy of an encoded plan with another payload: its strings come behind the data that is there, so that nothing
 * else moves. About ten times as quick as encoding a plan.
 *
 * @throws BrigError BRIG_BAD_TEXT: a NUL in a string
 */
export function patchPlan(plan: Uint8Array, payload: Payload): Uint8Array {
  const old = Buffer.from(plan.buffer, plan.byteOffset, plan.byteLength);
  const dataSize = old.readUInt32LE(HEADER.data_size);
  const added = layOut(payload, dataSize);
  const note = old.subarray(old.length - old.readUInt32LE(HEADER.note_size));
  const whole = Buffer.concat([old.subarray(0, old.length - note.length), added.bytes, note]);
  whole.writeUInt32LE(dataSize + added.bytes.length, HEADER.data_size);
  if (payload.timeoutMs !== undefined) whole.writeBigUInt64LE(BigInt(payload.timeoutMs), HEADER.timeout_ms);
  if (payload.graceMs !== undefined) whole.writeUInt32LE(Math.min(payload.graceMs, 0xffffffff), HEADER.grace_ms);
  patchSteps(whole, added);
  return seal(whole, note.length);
}

/** A plan without what the launcher never reads. */
export function dropNote(plan: Uint8Array): Uint8Array {
  const old = Buffer.from(plan.buffer, plan.byteOffset, plan.byteLength);
  return seal(Buffer.concat([old.subarray(0, old.length - old.readUInt32LE(HEADER.note_size)), NO_NOTE]), NO_NOTE.length);
}

const NO_NOTE = Buffer.from("{}");

/** The sizes and the checksum of a plan that ends with a note of that many bytes. */
function seal(whole: Buffer, noteSize: number): Buffer {
  whole.writeUInt32LE(whole.length, HEADER.size);
  whole.writeUInt32LE(noteSize, HEADER.note_size);
  const hash = addWords(makeHash(), whole, HEADER.checksum + 8, whole.length - noteSize);
  whole.writeInt32LE(hash.low, HEADER.checksum);
  whole.writeInt32LE(hash.high, HEADER.checksum + 4);
  return whole;
}

interface Added {
  bytes: Buffer;
  lists: [candidates: number, argv: number, env: number];
  cwd: number | undefined;
}

/** Lists first, then the strings that they point to; the last byte is a string's NUL. */
function layOut({ candidates, argv, env, cwd }: Payload, base: number): Added {
  const lists = [candidates, argv, env];
  const strings = [...candidates, ...argv, ...env, ...(cwd === undefined ? [""] : [cwd])];
  const text = Buffer.from(`${strings.join("\0")}\0`);
  const headSize = lists.reduce((size, list) => size + 4 + 4 * list.length, 0);
  const head = Buffer.alloc(headSize);
  const places = placeStrings(text, strings.length, base + headSize);
  let at = 0;
  let string = 0;
  const starts = lists.map((list) => {
    const start = base + at;
    at = head.writeUInt32LE(list.length, at);
    for (let count = 0; count < list.length; count++) at = head.writeUInt32LE(places[string++] as number, at);
    return start;
  });
  return { bytes: Buffer.concat([head, text]), lists: starts as Added["lists"], cwd: cwd === undefined ? undefined : (places.at(-1) as number) };
}

function placeStrings(text: Buffer, count: number, base: number): number[] {
  const places: number[] = [];
  for (let at = 0; at < text.length; at = text.indexOf(0, at) + 1) places.push(base + at);
  if (places.length === count) return places;
  throw new BrigError("a NUL stands in an argument, a variable or the working folder", { code: "BRIG_BAD_TEXT", hint: "the kernel ends texts with it: pass such data on standard input" });
}

function patchSteps(whole: Buffer, { lists, cwd }: Added): void {
  const exec = operationByName("EXEC").number;
  const chdir = operationByName("CWD").number;
  const steps = PHASES.reduce((sum, _, index) => sum + whole.readUInt32LE(HEADER.steps + 4 * index), 0);
  for (let at = HEADER_SIZE; at < HEADER_SIZE + steps * STEP_SIZE; at += STEP_SIZE) {
    const op = whole.readUInt16LE(at);
    if (op === exec) lists.forEach((list, index) => whole.writeUInt32LE(list, at + 4 + 4 * index));
    if (op === chdir && cwd !== undefined) whole.writeUInt32LE(cwd, at + 4);
  }
}
