/** What the launcher told on its status descriptor. */
export interface Told {
  /** RECORD_… in their order. */
  records: number[];
  /** The failed call: "CALL(ARGUMENT): errno N". */
  failure: string;
  exited: { status: number; oomKilled: boolean; timedOut: boolean } | undefined;
}

/** struct record and its bodies, launcher/plan.h. */
export function readRecords(bytes: Buffer): Told {
  const found: Told = { records: [], failure: "", exited: undefined };
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4));
    found.records.push(type);
    if (type === 4) found.failure = `${readText(body, 16, 32)}(${readText(body, 48, 256)}): errno ${body.readInt32LE(8)}`;
    if (type === 3) found.exited = { status: body.readInt32LE(0), oomKilled: body.readUInt32LE(4) !== 0, timedOut: body.readUInt32LE(8) !== 0 };
    at += 8 + body.length;
  }
  return found;
}

function readText(bytes: Buffer, at: number, size: number): string {
  return bytes.subarray(at, at + size).toString().replace(/\0.*$/s, "");
}
