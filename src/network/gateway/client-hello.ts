/*
 * The server's name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3). What comes in is the payload's.
 */

/** What the first bytes of a connection are. */
export type Hello =
  | { state: "more" }
  /** Not TLS, or not as the RFCs have it. */
  | { state: "bad"; why: string }
  /** `name` is undefined where the client names none. */
  | { state: "whole"; name: string | undefined };

const RECORD_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const EXTENSION_NAME = 0;
const NAME_HOST = 0;
const LARGEST = 64 << 10;

/** A reader that ends with an error behind the buffer's end. */
class Cursor {
  at = 0;
  constructor(private readonly bytes: Buffer) {}
  number(size: number): number {
    const value = this.bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }
  /** A part with its length in front. */
  part(lengthSize: number): Buffer {
    const size = this.number(lengthSize);
    if (this.at + size > this.bytes.length) throw new RangeError("a length beyond the end");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
  get done(): boolean {
    return this.at === this.bytes.length;
  }
}

export function looksLikeTls(bytes: Buffer): boolean {
  return bytes[0] === RECORD_HANDSHAKE;
}

/** Reads as much as there is of what a client says first. */
export function readClientHello(bytes: Buffer): Hello {
  const message = joinRecords(bytes);
  if (message === "bad") return { state: "bad", why: "no TLS handshake" };
  if (message.length >= 1 && message[0] !== CLIENT_HELLO) return { state: "bad", why: "no ClientHello" };
  const size = message.length < 4 ? undefined : message.readUIntBE(1, 3);
  if (size !== undefined && size > LARGEST) return { state: "bad", why: "a ClientHello that is too large" };
  if (size === undefined || message.length < 4 + size) return bytes.length > LARGEST ? { state: "bad", why: "a ClientHello without end" } : { state: "more" };
  try {
    return readNames(message.subarray(4, 4 + size));
  } catch {
    return { state: "bad", why: "a broken ClientHello" };
  }
}

/** A handshake message may be spread over records. */
function joinRecords(bytes: Buffer): Buffer | "bad" {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== RECORD_HANDSHAKE || (bytes.length > at + 1 && bytes[at + 1] !== 3)) return parts.length > 0 ? Buffer.concat(parts) : "bad";
    if (at + 5 > bytes.length) break;
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0 || size > (16 << 10) + 256) return "bad";
    parts.push(bytes.subarray(at + 5, at + 5 + size));
    at += 5 + size;
  }
  return Buffer.concat(parts);
}

function readNames(body: Buffer): Hello {
  const hello = new Cursor(body);
  hello.at += 2 + 32; // version, random
  hello.part(1); // session
  hello.part(2); // ciphers
  hello.part(1); // compression
  if (hello.done) return { state: "whole", name: undefined };
  const extensions = new Cursor(hello.part(2));
  const names: string[] = [];
  while (!extensions.done) {
    const type = extensions.number(2);
    const data = extensions.part(2);
    if (type === EXTENSION_NAME) names.push(...readNameList(data));
  }
  if (names.length > 1) return { state: "bad", why: "a ClientHello with several names" };
  return { state: "whole", name: names[0] };
}

function readNameList(data: Buffer): string[] {
  const list = new Cursor(new Cursor(data).part(2));
  const names: string[] = [];
  while (!list.done) {
    if (list.number(1) !== NAME_HOST) throw new RangeError("another kind of name");
    names.push(list.part(2).toString("latin1"));
  }
  return names;
}
