/** The requests of launcher/files.h. */
export const FILE = {
  OPEN: 1, CLOSE: 2, READ: 3, WRITE: 4, STAT: 5, STAT_HANDLE: 6, LIST: 7, MAKE_FOLDER: 8, REMOVE: 9, RENAME: 10, LINK: 11, READ_LINK: 12,
  MODE: 13, TRUNCATE: 14, TIMES: 15,
} as const;

export const REQUEST_SIZE = 32;
export const REPLY_SIZE = 16;
/** The most that one READ, WRITE or LIST carries. */
export const DATA_MAX = 65_536;
/** As an offset: where the handle is. */
export const ANYWHERE = (1n << 64n) - 1n;

export interface Request {
  op: number;
  a?: number;
  b?: bigint;
  /** A path, or for READ the bytes wanted. */
  first?: string | number;
  second?: string | Uint8Array;
}

export function encodeRequest(id: number, { op, a = 0, b = 0n, first, second }: Request): Buffer {
  const one = typeof first === "string" ? Buffer.from(`${first}\0`) : Buffer.alloc(0);
  const two = typeof second === "string" ? Buffer.from(`${second}\0`) : (second ?? Buffer.alloc(0));
  const head = Buffer.alloc(REQUEST_SIZE);
  head.writeUInt32LE(one.length + two.length, 0);
  head.writeUInt32LE(id, 4);
  head.writeUInt32LE(op, 8);
  head.writeUInt32LE(a, 12);
  head.writeBigUInt64LE(b, 16);
  head.writeUInt32LE(typeof first === "number" ? first : one.length, 24);
  head.writeUInt32LE(two.length, 28);
  return Buffer.concat([head, one, two]);
}
