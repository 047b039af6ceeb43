import type { Socket } from "node:net";
import { looksLikeTls, readClientHello } from "./client-hello.js";

/** What a connection turns out to be. */
export type Opening =
  | { kind: "tls"; name: string | undefined }
  | { kind: "http" }
  | { kind: "other" }
  | { kind: "bad"; why: string }
  /** The client waits for the server to speak. */
  | { kind: "silent" };

/** Lenient servers pass over empty lines in front of a request. */
const EMPTY_LINES = /^[\r\n\t ]+/;
/** A request line that is not there to its end; the method may be any token (RFC 9110 5.6.2). */
const REQUEST_BEGIN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,32}([ \t][^\0]*)?$/;
const REQUEST_LINE = /^\S+[ \t].*[ \t]HTTP\/\d/i;
const LARGEST_LINE = 16 << 10;

/**
 * What the client says first; nothing of it is lost to the next reader.
 * @param patienceMs until "silent"; from its first byte on it has ten seconds
 */
export async function readOpening(client: Socket, patienceMs: number): Promise<Opening> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await readChunk(client, bytes.length === 0 ? patienceMs : 10_000);
    if (chunk === undefined) return bytes.length === 0 ? { kind: "silent" } : { kind: "bad", why: "an opening without end" };
    bytes = Buffer.concat([bytes, chunk]);
    const opening = judge(bytes);
    if (!opening) continue;
    client.unshift(bytes);
    return opening;
  }
}

/** Undefined: more bytes are needed. */
export function judge(bytes: Buffer): Opening | undefined {
  if (looksLikeTls(bytes)) {
    const hello = readClientHello(bytes);
    if (hello.state === "more") return undefined;
    return hello.state === "bad" ? { kind: "bad", why: hello.why } : { kind: "tls", name: hello.name };
  }
  const text = bytes.toString("latin1", 0, LARGEST_LINE).replace(EMPTY_LINES, "");
  const end = text.indexOf("\n");
  if (REQUEST_LINE.test(end < 0 ? text : text.slice(0, end))) return { kind: "http" };
  return end < 0 && REQUEST_BEGIN.test(text) && bytes.length < LARGEST_LINE ? undefined : { kind: "other" };
}

/** Undefined when nothing comes in time, or nothing more at all. */
function readChunk(client: Socket, ms: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (chunk?: Buffer): void => {
      clearTimeout(timer);
      client.off("readable", look).off("end", end).off("close", end).off("error", end);
      resolve(chunk);
    };
    const look = (): void => {
      const chunk = client.read() as Buffer | null;
      if (chunk) settle(chunk);
    };
    const end = (): void => settle();
    const timer = setTimeout(end, ms);
    client.on("readable", look).once("end", end).once("close", end).once("error", end);
    look();
  });
}
