import { BrigError } from "../../error/brig-error.js";
import { readRange, type Range } from "./address.js";

/** A set of places that a sandbox may reach, or may not. */
export interface HostRule {
  /** As it was written. */
  text: string;
  /** A name, "*.NAME" for all names below it, "*" for all names, or a range of addresses. */
  host: string | Range;
  /** Ports, both ends included. */
  ports: { first: number; last: number }[];
  /** Undefined: both. */
  protocol?: Protocol;
}

export type Protocol = "tcp" | "udp";

const HINT = 'write a name, "*.NAME" or an address, and :PORT, :FIRST-LAST or :*, with /udp where it is not TCP, behind it, such as "registry.npmjs.org:443", "*.debian.org", "10.1.0.0/16:5432", "[2001:db8::1]:80"';
const ALL_PORTS = [{ first: 1, last: 65535 }];
/** What a rule without a port is about. */
const WEB_PORTS = [{ first: 80, last: 80 }, { first: 443, last: 443 }];

/** What "--allow-host" takes: without a port, those of HTTP and HTTPS. */
export function parseAllowedHost(text: string, where = "allowHosts"): HostRule {
  return { protocol: "tcp", ...parseHostRule(text, where, WEB_PORTS) };
}

/** What "--deny-host" takes: without a port, all of them. */
export function parseDeniedHost(text: string, where = "denyHosts"): HostRule {
  return parseHostRule(text, where, ALL_PORTS);
}

/** @throws BrigError BRIG_BAD_VALUE */
function parseHostRule(text: string, where: string, otherwise: HostRule["ports"]): HostRule {
  const match = readRange(text) ? [text, text] : /^(\[[^\]]*\](?:\/\d+)?|[^:[\]]*)(?::(\*|\d{1,5}(?:-\d{1,5})?)(?:\/(tcp|udp))?)?$/.exec(text);
  const [, host = "", ports, protocol] = match ?? [];
  if (!match || host === "") throw refuse(text, where, "names no host");
  return { text, host: readHost(host, text, where), ports: ports === undefined ? otherwise : readPorts(ports, text, where), ...(protocol === undefined ? {} : { protocol: protocol as Protocol }) };
}

function readPorts(ports: string, text: string, where: string): HostRule["ports"] {
  if (ports === "*") return ALL_PORTS;
  const [first = 0, last = first] = ports.split("-").map(Number);
  if (first < 1 || last > 65535 || last < first) throw refuse(text, where, "has a port that does not exist");
  return [{ first, last }];
}

function readHost(host: string, text: string, where: string): HostRule["host"] {
  const range = readRange(host.replace(/^\[(.*)\]/, "$1"));
  if (range) return range;
  if (host === "*") return host;
  const wild = host.startsWith("*.");
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\x00-\x7f]*$/.test(host) ? host : process.getBuiltinModule("node:url").domainToASCII(host.replace(/^\*\./, ""));
  const name = normaliseName(wild ? ascii.replace(/^\*\./, "") : ascii);
  if (name === undefined) throw refuse(text, where, "is no host name or address");
  return wild ? `*.${name}` : name;
}

/**
 * A host name in the one form in which names are compared: lower case, without a dot at the end. Undefined for what is
 * none (RFC 1123, underscores allowed): another character, an empty or long label, something that might be read as an
 * address.
 */
export function normaliseName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name.length > 253 || !/^[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/.test(name)) return undefined;
  return /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name) ? undefined : name;
}

function refuse(text: string, where: string, what: string): BrigError {
  return new BrigError(`${where}: ${JSON.stringify(text)} ${what}`, { code: "BRIG_BAD_VALUE", hint: HINT });
}
