import { BrigError } from "../error/brig-error.js";
import { LANDLOCK_FIELDS, LANDLOCK_RULE_FIELDS, LANDLOCK_RULE_SIZE, LANDLOCK_SIZE } from "./format.js";
import type { Capabilities, LandlockRules } from "./operations.js";

/** Reads the `data` part of a plan, each offset and size checked. */
export interface DataReader {
  readString(offset: number): string;
  readList(offset: number): string[];
  readBytes(offset: number, size: number): Buffer;
  readIds(offset: number, size: number): number[];
  readCapabilities(offset: number, size: number): Capabilities;
  readLandlock(offset: number, size: number): LandlockRules;
}

/** @throws BrigError BRIG_BAD_PLAN */
export function makeDataReader(data: Buffer): DataReader {
  if (data.length === 0 || data[0] !== 0 || data[data.length - 1] !== 0) throw bad("its data does not begin and end with NUL");
  const readString = (offset: number): string => {
    if (offset >= data.length) throw bad("a text lies outside of it");
    return data.toString("utf8", offset, data.indexOf(0, offset));
  };
  const readBytes = (offset: number, size: number): Buffer => {
    if (offset > data.length || size > data.length - offset) throw bad("a block lies outside of it");
    return data.subarray(offset, offset + size);
  };
  const readList = (offset: number): string[] => {
    const count = readBytes(offset, 4).readUInt32LE();
    const block = readBytes(offset + 4, 4 * count);
    return Array.from({ length: count }, (_, index) => readString(block.readUInt32LE(4 * index)));
  };
  return {
    readString,
    readBytes,
    readList,
    readIds(offset, size) {
      const block = readBytes(offset, size);
      if (size % 4 !== 0) throw bad("a list of ids is cut");
      return Array.from({ length: size / 4 }, (_, index) => block.readUInt32LE(4 * index));
    },
    readCapabilities: (offset, size) => readCapabilities(readBytes(offset, size)),
    readLandlock: (offset, size) => readLandlock(readBytes(offset, size), readString),
  };
}

function readCapabilities(block: Buffer): Capabilities {
  if (block.length !== 40) throw bad("capabilities are not five sets");
  const [bounding, effective, permitted, inheritable, ambient] = [0, 8, 16, 24, 32].map((at) => block.readBigUInt64LE(at)) as [bigint, bigint, bigint, bigint, bigint];
  return { bounding, effective, permitted, inheritable, ambient };
}

function readLandlock(block: Buffer, readString: (offset: number) => string): LandlockRules {
  if (block.length < LANDLOCK_SIZE) throw bad("its Landlock rules are cut short");
  const count = block.readUInt32LE(LANDLOCK_FIELDS.rule_count);
  if (block.length !== LANDLOCK_SIZE + count * LANDLOCK_RULE_SIZE) throw bad("its Landlock rules are cut short");
  const rules: LandlockRules = {
    handledFs: block.readBigUInt64LE(LANDLOCK_FIELDS.handled_fs),
    handledNet: block.readBigUInt64LE(LANDLOCK_FIELDS.handled_net),
    scoped: block.readBigUInt64LE(LANDLOCK_FIELDS.scoped),
    paths: [],
    ports: [],
  };
  for (let n = 0; n < count; n++) readRule(block.subarray(LANDLOCK_SIZE + n * LANDLOCK_RULE_SIZE), rules, readString);
  return rules;
}

function readRule(rule: Buffer, rules: LandlockRules, readString: (offset: number) => string): void {
  const access = rule.readBigUInt64LE(LANDLOCK_RULE_FIELDS.access);
  const type = rule.readUInt32LE(LANDLOCK_RULE_FIELDS.type);
  if (type === 2) rules.ports.push({ port: Number(rule.readBigUInt64LE(LANDLOCK_RULE_FIELDS.port)), access });
  else if (type !== 1) throw bad("a Landlock rule is of an unknown type");
  else
    rules.paths.push({
      path: readString(rule.readUInt32LE(LANDLOCK_RULE_FIELDS.path)),
      access,
      optional: rule.readUInt32LE(LANDLOCK_RULE_FIELDS.optional) !== 0,
    });
}

function bad(problem: string): BrigError {
  return new BrigError(`this is no whole plan: ${problem}`, { code: "BRIG_BAD_PLAN", hint: "compile it again with `brig plan --out FILE …`" });
}
