import { BrigError } from "../error/brig-error.js";
import { LANDLOCK_FIELDS, LANDLOCK_RULE_FIELDS, LANDLOCK_RULE_SIZE, LANDLOCK_SIZE, PLAN_MAX_SIZE } from "./format.js";
import type { Capabilities, LandlockRules } from "./operations.js";

/** A blob's place in the data. */
export interface Blob {
  offset: number;
  size: number;
}

const EMPTY: Blob = { offset: 0, size: 0 };

/** The `data` part of a plan: strings (each once), lists and blobs. Offset 0 is the empty string, "none". */
export interface DataWriter {
  addString(text: string): number;
  addList(texts: readonly string[]): number;
  addText(text: string): Blob;
  addBytes(bytes: Uint8Array): Blob;
  addIds(ids: readonly number[]): Blob;
  addCapabilities(sets: Capabilities): Blob;
  addLandlock(rules: LandlockRules): Blob;
  /** The data so far, ended with NUL; its size is a multiple of 8. */
  finish(): Buffer;
}

export function makeDataWriter(): DataWriter {
  let buffer = Buffer.alloc(16 << 10);
  let used = 1;
  const strings = new Map<string, number>([["", 0]]);

  const reserve = (size: number, alignment: number): number => {
    const offset = (used + alignment - 1) & -alignment;
    if (offset + size > PLAN_MAX_SIZE) throw tooLarge();
    if (offset + size > buffer.length) {
      const larger = Buffer.alloc(Math.max(buffer.length * 2, offset + size));
      buffer.copy(larger, 0, 0, used);
      buffer = larger;
    }
    used = offset + size;
    return offset;
  };
  const addString = (text: string): number => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw withNul(text);
    const size = Buffer.byteLength(text);
    const offset = reserve(size + 1, 1);
    buffer.write(text, offset);
    strings.set(text, offset);
    return offset;
  };
  const addList = (texts: readonly string[]): number => {
    const offsets = texts.map(addString);
    const at = reserve(4 + 4 * offsets.length, 4);
    buffer.writeUInt32LE(offsets.length, at);
    offsets.forEach((offset, index) => buffer.writeUInt32LE(offset, at + 4 + 4 * index));
    return at;
  };
  const addBytes = (bytes: Uint8Array): Blob => {
    if (bytes.length === 0) return EMPTY;
    const offset = reserve(bytes.length, 8);
    buffer.set(bytes, offset);
    return { offset, size: bytes.length };
  };
  return {
    addString,
    addList,
    addBytes,
    addText: (text) => addBytes(Buffer.from(text)),
    addIds: (ids) => addBytes(new Uint8Array(Uint32Array.from(ids).buffer)),
    addCapabilities: (sets) =>
      addBytes(new Uint8Array(BigUint64Array.of(sets.bounding, sets.effective, sets.permitted, sets.inheritable, sets.ambient).buffer)),
    addLandlock: (rules) => addBytes(encodeLandlock(rules, addString)),
    finish() {
      reserve(8, 8);
      return buffer.subarray(0, used);
    },
  };
}

function encodeLandlock(rules: LandlockRules, addString: (text: string) => number): Uint8Array {
  const count = rules.paths.length + rules.ports.length;
  const blob = Buffer.alloc(LANDLOCK_SIZE + count * LANDLOCK_RULE_SIZE);
  blob.writeBigUInt64LE(rules.handledFs, LANDLOCK_FIELDS.handled_fs);
  blob.writeBigUInt64LE(rules.handledNet, LANDLOCK_FIELDS.handled_net);
  blob.writeBigUInt64LE(rules.scoped, LANDLOCK_FIELDS.scoped);
  blob.writeUInt32LE(count, LANDLOCK_FIELDS.rule_count);
  let at = LANDLOCK_SIZE;
  const next = (access: bigint, type: number): number => {
    const rule = at;
    blob.writeBigUInt64LE(access, rule + LANDLOCK_RULE_FIELDS.access);
    blob.writeUInt32LE(type, rule + LANDLOCK_RULE_FIELDS.type);
    at += LANDLOCK_RULE_SIZE;
    return rule;
  };
  for (const { path, access, optional } of rules.paths) {
    const rule = next(access, 1);
    blob.writeUInt32LE(addString(path), rule + LANDLOCK_RULE_FIELDS.path);
    blob.writeUInt32LE(optional ? 1 : 0, rule + LANDLOCK_RULE_FIELDS.optional);
  }
  for (const { port, access } of rules.ports) blob.writeBigUInt64LE(BigInt(port), next(access, 2) + LANDLOCK_RULE_FIELDS.port);
  return blob;
}

function withNul(text: string): BrigError {
  return new BrigError(`a text for the kernel holds a NUL: ${JSON.stringify(text.slice(0, 80))}`, {
    code: "BRIG_BAD_TEXT",
    hint: "the kernel's strings end at NUL: remove it",
  });
}

function tooLarge(): BrigError {
  return new BrigError(`the sandbox's plan is larger than ${PLAN_MAX_SIZE >> 20} MiB`, {
    code: "BRIG_PLAN_TOO_LARGE",
    hint: "pass large contents in a file that is bound in",
  });
}
