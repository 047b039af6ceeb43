import { MAGIC_COOKIE } from "./authority.js";
import { pad, type XConnection } from "./x-connection.js";

/** Requests of the SECURITY extension, version 1.0 ("Security Extension Specification", X.Org). */
const GENERATE = 1;
const REVOKE = 2;
const TIMEOUT = 1 << 0;
const TRUST_LEVEL = 1 << 1;
const UNTRUSTED = 1;

/** A cookie whose clients the server does not trust. It holds until it is revoked. */
export async function generateUntrusted(connection: XConnection, opcode: number): Promise<{ id: number; data: Buffer }> {
  const name = Buffer.from(MAGIC_COOKIE, "latin1");
  const head = Buffer.alloc(8);
  head.writeUInt16LE(name.length);
  head.writeUInt32LE(TIMEOUT | TRUST_LEVEL, 4);
  const values = Buffer.alloc(8); // no time after which it would end, and the trust level
  values.writeUInt32LE(UNTRUSTED, 4);
  const reply = await connection.ask(opcode, GENERATE, Buffer.concat([head, pad(name), values]));
  const size = reply.readUInt16LE(12);
  return { id: reply.readUInt32LE(8), data: reply.subarray(32, 32 + size) };
}

/** Every client that came with it is cut off. */
export async function revoke(connection: XConnection, opcode: number, id: number): Promise<void> {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(id);
  await connection.tell(opcode, REVOKE, body);
}
