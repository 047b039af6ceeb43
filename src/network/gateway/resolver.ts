import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { formatAddress, readAddress } from "../rules/address.js";
import type { HostPolicy } from "../rules/host-policy.js";
import { normaliseName } from "../rules/host-rule.js";
import { type Answer, type Question, RCODE, TYPE } from "./dns-message.js";
import type { Openings } from "./openings.js";

/** What became of a question, with the words for the log where it was refused. */
export interface Resolved {
  answer: Answer;
  reason?: string;
  name?: string;
}

export type Resolve = (question: Question) => Promise<Resolved>;

/** Seconds. A program needs a moment from the answer to its connection, and no answer lives for days. */
const SHORTEST = 5;
const LONGEST = 3600;
/** A connection may be begun a moment behind the answer's end. */
const GRACE_MS = 2000;
const MOST_AT_ONCE = 256;

export interface ResolverOptions {
  policy: HostPolicy;
  openings: Openings;
  /** "10.0.0.1", "10.0.0.1:5353", "[::1]:53"; empty: the host's own. */
  servers: readonly string[];
}

/**
 * Answers for the names that are allowed, from the host's resolvers, and opens the addresses that it tells for as long
 * as the answer lives. Nothing but addresses is told: neither HTTPS records, whose keys would hide the name of a
 * connection, nor anything that data could be carried in.
 */
export function makeResolver({ policy, openings, servers }: ResolverOptions): Resolve {
  const upstream = new Resolver({ timeout: 3000, tries: 2 });
  if (servers.length > 0) upstream.setServers(servers);
  let busy = 0;

  const lookUp = async (name: string, type: number): Promise<Resolved> => {
    const records = type === TYPE.A ? await upstream.resolve4(name, { ttl: true }) : await upstream.resolve6(name, { ttl: true });
    const ttl = Math.min(LONGEST, Math.max(SHORTEST, ...records.map((record) => record.ttl)));
    const told: string[] = [];
    let refused: string | undefined;
    for (const { address } of records) {
      const read = readAddress(address);
      if (!read || read.family !== (type === TYPE.A ? 4 : 6) || !policy.allowsAnswer(read)) refused = address;
      else if (read.family === 4 || (await isRoutable(address))) told.push(formatAddress(read));
    }
    if (told.length === 0 && refused !== undefined) return { name, reason: `its address ${refused} is private or denied`, answer: { rcode: RCODE.NO_NAME, blocked: true } };
    if (!told.every((address) => openings.open(name, address, ttl * 1000 + GRACE_MS))) return { name, answer: { rcode: RCODE.FAILURE }, reason: "too many names" };
    return { name, answer: { rcode: RCODE.OK, addresses: told.map(toBytes), ttl } };
  };

  return async (question) => {
    if (question.raw.length === 0) return { answer: { rcode: RCODE.FORMAT } };
    if (question.flags & 0x7800) return { answer: { rcode: RCODE.NOT_IMPLEMENTED } };
    const name = question.name === undefined ? undefined : normaliseName(question.name);
    if (name === undefined || !policy.allowsName(name)) return { name: question.shown, reason: name === undefined ? "no host name" : "not allowed", answer: { rcode: RCODE.NO_NAME, blocked: true } };
    if (question.type !== TYPE.A && question.type !== TYPE.AAAA) return { name, answer: { rcode: RCODE.OK } };
    if (busy >= MOST_AT_ONCE) return { name, reason: "too many questions at once", answer: { rcode: RCODE.FAILURE } };
    busy++;
    try {
      return await lookUp(name, question.type);
    } catch (error) {
      return { name, answer: { rcode: translate(error) } };
    } finally {
      busy--;
    }
  };
}

function translate(error: unknown): number {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENODATA") return RCODE.OK;
  return code === "ENOTFOUND" ? RCODE.NO_NAME : RCODE.FAILURE;
}

function toBytes(text: string): Buffer {
  const { family, value } = readAddress(text) as NonNullable<ReturnType<typeof readAddress>>;
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}

/** A host without IPv6 tells no IPv6 addresses: a program would wait for them in vain. Nothing is sent. */
async function isRoutable(address: string): Promise<boolean> {
  const socket = createSocket("udp6");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(53, address, () => resolve());
    });
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
