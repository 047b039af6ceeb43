import type { Network } from "../../spec/extension.js";
import { refuseValue } from "./bad-value.js";

/** One port of the host that leads to one inside. */
export type PublishedPort = NonNullable<Network["ports"]>[number];

const HINT = 'write [ADDRESS:]HOST:GUEST[/tcp|/udp], such as "8080:80", "127.0.0.1:5353:53/udp", "[::1]:8000-8010:8000-8010"';
const SHAPE = /^(?:(\[[^\]]+\]|[^:[\]/]+):)?(\d{1,5})(?:-(\d{1,5}))?:(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/;
/** Without a port of the host's: "80", "127.0.0.1::80". */
const ANY_PORT = /^(?:(\[[^\]]+\]|[^:[\]/]+)::)?(\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp))?)$/;

/**
 * "[ADDRESS:]HOST:GUEST[/PROTOCOL]" in docker's grammar; each of the ports may be a range of the same length.
 * Without an address the port is open on all of the host's.
 * "80" and "127.0.0.1::80" leave the host's port to be chosen, which 0 says.
 *
 * @throws BrigError BRIG_BAD_VALUE: another shape, a port beyond 1-65535, ranges of different length, no IP address
 */
export function parsePublish(value: string, where = "publish"): PublishedPort[] {
  const match = SHAPE.exec(value) ?? chooseLater(value);
  if (!match) refuseValue(value, where, "is not a published port", HINT);
  const [, address, host, hostEnd = host, guest, guestEnd = guest, protocol = "tcp"] = match;
  const guests = listPorts(Number(guest), Number(guestEnd), value, where);
  const hosts = host === "" ? guests.map(() => 0) : listPorts(Number(host), Number(hostEnd), value, where);
  if (hosts.length !== guests.length) refuseValue(value, where, "has ranges of different length", HINT);
  const shared = { protocol: protocol as "tcp" | "udp", ...(address === undefined ? {} : { address: readAddress(address, value, where) }) };
  return hosts.map((port, index) => ({ host: port, guest: guests[index] as number, ...shared }));
}

function chooseLater(value: string): (string | undefined)[] | undefined {
  const [, address, guest = ""] = ANY_PORT.exec(value) ?? [];
  const [, first, last, protocol] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(guest) ?? [];
  return first === undefined ? undefined : ["", address, "", "", first, last, protocol];
}

function listPorts(first: number, last: number, value: string, where: string): number[] {
  if (first < 1 || last > 65535 || last < first) refuseValue(value, where, "has a port that does not exist", "ports are 1 to 65535, the lower end of a range first");
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function readAddress(text: string, value: string, where: string): string {
  const bare = text.startsWith("[") ? text.slice(1, -1) : text;
  const { isIP } = process.getBuiltinModule("node:net"); // loaded only here: it takes 3 ms
  if (isIP(bare) !== (text.startsWith("[") ? 6 : 4)) refuseValue(value, where, "has no IP address in front", HINT);
  return bare;
}
