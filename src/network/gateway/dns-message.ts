/*
 * DNS messages (RFC 1035, 6891, 8914), as far as a resolver needs them that answers one question with addresses.
 * What comes in is the payload's and may be anything.
 */

export const TYPE = { A: 1, AAAA: 28 } as const;
export const RCODE = { OK: 0, FORMAT: 1, FAILURE: 2, NO_NAME: 3, NOT_IMPLEMENTED: 4 } as const;

const HEADER_SIZE = 12;
const CLASS_IN = 1;
const TYPE_OPT = 41;
const OPTION_EXTENDED_ERROR = 15;
const ERROR_BLOCKED = 15;
const FLAG_RESPONSE = 0x8000;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const KEPT_FLAGS = 0x7900; // opcode and "recursion desired"
/** What fits a datagram without EDNS, and what brig sends with it (RFC 9715). */
const PLAIN_SIZE = 512;
const LARGEST_SIZE = 1232;

export interface Question {
  id: number;
  flags: number;
  /** As it stands in the message, with its type and class. */
  raw: Buffer;
  /** Labels joined by dots; undefined when a label holds a byte that no host name has. */
  name: string | undefined;
  /** For the log. */
  shown: string;
  type: number;
  /** Bytes that the asker takes in a datagram. */
  room: number;
  edns: boolean;
}

export interface Answer {
  rcode: number;
  /** Address bytes, 4 or 16. */
  addresses?: Buffer[];
  /** Seconds. */
  ttl?: number;
  /** Say that a policy blocked it. */
  blocked?: boolean;
}

/** The question of a message; undefined for what deserves no answer (no query at all); `raw` empty for a bad one. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_SIZE || message.readUInt16BE(2) & FLAG_RESPONSE) return undefined;
  const [id, flags] = [message.readUInt16BE(0), message.readUInt16BE(2)];
  const bad = { id, flags, raw: Buffer.alloc(0), name: undefined, shown: "", type: 0, room: PLAIN_SIZE, edns: false };
  const counts = [4, 6, 8].map((at) => message.readUInt16BE(at));
  const labels = readLabels(message);
  if (counts.join() !== "1,0,0" || !labels || labels.end + 4 > message.length) return bad;
  const end = labels.end + 4;
  if (message.readUInt16BE(end - 2) !== CLASS_IN) return bad;
  return { ...bad, ...readEdns(message, end), raw: message.subarray(HEADER_SIZE, end), name: labels.name, shown: labels.shown, type: message.readUInt16BE(end - 4) };
}

/** A question has no compression: nothing stands before it that it could point at. */
function readLabels(message: Buffer): { name: string | undefined; shown: string; end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_SIZE;
  for (;;) {
    const size = message[at];
    if (size === undefined || size > 63 || at + 1 + size > message.length || at - HEADER_SIZE > 254) return undefined;
    if (size === 0) break;
    labels.push(message.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  const plain = labels.length > 0 && labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label));
  return { name: plain ? labels.join(".") : undefined, shown: labels.join("."), end: at + 1 };
}

/** The OPT record, where it is the first behind the question: how much the asker takes. */
function readEdns(message: Buffer, at: number): { room: number; edns: boolean } {
  const present = message.readUInt16BE(10) > 0 && message[at] === 0 && at + 11 <= message.length && message.readUInt16BE(at + 1) === TYPE_OPT;
  if (!present) return { room: PLAIN_SIZE, edns: false };
  return { room: Math.min(LARGEST_SIZE, Math.max(PLAIN_SIZE, message.readUInt16BE(at + 3))), edns: true };
}

/** The reply to a question; over a datagram as many addresses as fit, since each of them will do. */
export function writeAnswer(question: Question, answer: Answer, room = question.room): Buffer {
  const { addresses = [], ttl = 0 } = answer;
  const options = question.edns && question.raw.length > 0 ? writeEdns(answer.blocked === true) : Buffer.alloc(0);
  const used = HEADER_SIZE + question.raw.length + options.length;
  const records = addresses.map((address) => writeRecord(question.type, address, ttl)).filter((record, index) => used + record.length * (index + 1) <= room);
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(FLAG_RESPONSE | (question.flags & KEPT_FLAGS) | FLAG_RECURSION_AVAILABLE | answer.rcode, 2);
  header.writeUInt16BE(question.raw.length > 0 ? 1 : 0, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(options.length > 0 ? 1 : 0, 10);
  return Buffer.concat([header, question.raw, ...records, options]);
}

/** Its name is a pointer to the question's. */
function writeRecord(type: number, address: Buffer, ttl: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | HEADER_SIZE, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(address.length, 10);
  return Buffer.concat([head, address]);
}

function writeEdns(blocked: boolean): Buffer {
  const option = blocked ? Buffer.from([0, OPTION_EXTENDED_ERROR, 0, 2, 0, ERROR_BLOCKED]) : Buffer.alloc(0);
  const head = Buffer.alloc(11);
  head.writeUInt16BE(TYPE_OPT, 1);
  head.writeUInt16BE(LARGEST_SIZE, 3);
  head.writeUInt16BE(option.length, 9);
  return Buffer.concat([head, option]);
}
