import { connect, type Socket } from "node:net";

/** As much of the X protocol (version 11) as it takes to ask for a cookie. Little-endian on the wire. */
export interface XConnection {
  /** Sends a request; its reply is 32 bytes and what they say is behind them. */
  ask(opcode: number, minor: number, body: Buffer): Promise<Buffer>;
  /** Sends a request that has no reply, and waits until the server has done it. */
  tell(opcode: number, minor: number, body: Buffer): Promise<void>;
  /** The extension's opcode (X protocol, QueryExtension); undefined where the server lacks it. */
  findExtension(name: string): Promise<number | undefined>;
  close(): void;
}

/** Why the server does not take the connection. */
export class XRefusal extends Error {}

const QUERY_EXTENSION = 98;
const GET_INPUT_FOCUS = 43;
const LARGEST = 1 << 20;
const PATIENCE_MS = 5000;

/** Connects with a cookie, or without any; throws XRefusal when the server says no. */
export async function openDisplay(path: string, cookie?: { name: string; data: Buffer }): Promise<XConnection> {
  const socket = connect(path);
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("the X server does not answer")));
  const read = makeReader(socket);
  socket.write(encodeSetup(cookie?.name ?? "", cookie?.data ?? Buffer.alloc(0)));
  try {
    const head = await read(8);
    const rest = await read(Math.min(head.readUInt16LE(6) * 4, LARGEST));
    if (head[0] !== 1) throw new XRefusal(rest.subarray(0, head[1]).toString("latin1").trim() || "it wants to know more");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setTimeout(0);
  return makeConnection(socket, read);
}

function makeConnection(socket: Socket, read: (size: number) => Promise<Buffer>): XConnection {
  const ask = async (opcode: number, minor: number, body: Buffer): Promise<Buffer> => {
    socket.write(encodeRequest(opcode, minor, body));
    return readReply(read);
  };
  return {
    ask,
    async tell(opcode, minor, body) {
      socket.write(encodeRequest(opcode, minor, body));
      await ask(GET_INPUT_FOCUS, 0, Buffer.alloc(0));
    },
    async findExtension(name) {
      const text = Buffer.from(name, "latin1");
      const head = Buffer.alloc(4);
      head.writeUInt16LE(text.length);
      const reply = await ask(QUERY_EXTENSION, 0, Buffer.concat([head, pad(text)]));
      return reply[8] === 1 ? reply[9] : undefined;
    },
    close: () => socket.destroy(),
  };
}

/** Events are passed over: nothing was asked that would bring any but those sent to all. */
async function readReply(read: (size: number) => Promise<Buffer>): Promise<Buffer> {
  for (;;) {
    const head = await read(32);
    if (head[0] === 0) throw new Error(`the X server refuses with error ${head[1]}`);
    if (head[0] === 1) return Buffer.concat([head, await read(Math.min(head.readUInt32LE(4) * 4, LARGEST))]);
  }
}

/** One reader at a time: so many bytes as soon as they are there. */
function makeReader(socket: Socket): (size: number) => Promise<Buffer> {
  let waiting: { size: number; take: (bytes: Buffer) => void; fail: (error: Error) => void } | undefined;
  let held = Buffer.alloc(0);
  let failed: Error | undefined;
  const settle = (): void => {
    if (!waiting) return;
    if (held.length >= waiting.size) {
      const { take, size } = waiting;
      waiting = undefined;
      const bytes = held.subarray(0, size);
      held = held.subarray(size);
      take(bytes);
    } else if (failed) waiting.fail(failed);
  };
  const end = (error: Error): void => {
    failed ??= error;
    settle();
  };
  socket.on("data", (bytes) => {
    held = Buffer.concat([held, bytes]);
    settle();
  });
  socket.on("error", end).on("close", () => end(new Error("the X server closed the connection")));
  return (size) =>
    new Promise((take, fail) => {
      waiting = { size, take, fail };
      settle();
    });
}

function encodeSetup(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.write("l", 0, "latin1");
  head.writeUInt16LE(11, 2);
  head.writeUInt16LE(name.length, 6);
  head.writeUInt16LE(data.length, 8);
  return Buffer.concat([head, pad(Buffer.from(name, "latin1")), pad(data)]);
}

function encodeRequest(opcode: number, minor: number, body: Buffer): Buffer {
  const head = Buffer.from([opcode, minor, 0, 0]);
  head.writeUInt16LE(1 + body.length / 4, 2);
  return Buffer.concat([head, body]);
}

/** To a multiple of four. */
export function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
