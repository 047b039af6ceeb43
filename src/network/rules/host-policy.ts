import { type Address, isPublic, isWithin } from "./address.js";
import { type HostRule, type Protocol, parseAllowedHost, parseDeniedHost } from "./host-rule.js";

/** What a sandbox may reach. Names are in the form of `normaliseName`. */
export interface HostPolicy {
  /** Whether the name may be looked up at all. */
  allowsName(name: string): boolean;
  /** Whether a connection to this address of the name may be made. */
  allowsNameAt(name: string, address: Address, port: number, protocol: Protocol): boolean;
  /** Whether the address itself is allowed, whatever its name; without a port, on some port. */
  allowsAddress(address: Address, port?: number, protocol?: Protocol): boolean;
  /** Whether an answer for an allowed name may hold the address. */
  allowsAnswer(address: Address): boolean;
}

/**
 * The policy of two lists; a rule of `deny` beats every rule of `allow`. Nothing in `allow` is nothing at all.
 *
 * @throws BrigError BRIG_BAD_VALUE
 */
export function makeHostPolicy(allow: readonly string[], deny: readonly string[]): HostPolicy {
  const allowed = allow.map((text) => parseAllowedHost(text));
  const denied = deny.map((text) => parseDeniedHost(text));
  const named = (rules: HostRule[], name: string, port?: number, protocol?: Protocol): boolean => rules.some((rule) => matchesName(rule, name) && matchesPort(rule, port, protocol));
  const addressed = (rules: HostRule[], address: Address, port?: number, protocol?: Protocol): boolean => rules.some((rule) => matchesAddress(rule, address) && matchesPort(rule, port, protocol));
  // a denial of one port is none of the whole name
  const whole = denied.filter(({ ports, protocol }) => protocol === undefined && ports.some(({ first, last }) => first === 1 && last === 65535));
  const allowsAddress: HostPolicy["allowsAddress"] = (address, port, protocol) => addressed(allowed, address, port, protocol) && !addressed(port === undefined ? whole : denied, address, port, protocol);
  return {
    allowsName: (name) => named(allowed, name) && !named(whole, name),
    allowsNameAt: (name, address, port, protocol) => named(allowed, name, port, protocol) && !named(denied, name, port, protocol) && !addressed(denied, address, port, protocol),
    allowsAddress,
    allowsAnswer: (address) => !addressed(whole, address) && (isPublic(address) || allowsAddress(address)),
  };
}

function matchesName({ host }: HostRule, name: string): boolean {
  if (typeof host !== "string") return false;
  if (host === "*") return true;
  return host.startsWith("*.") ? name.endsWith(host.slice(1)) && name.length > host.length - 1 : name === host;
}

function matchesAddress({ host }: HostRule, address: Address): boolean {
  return typeof host !== "string" && isWithin(address, host);
}

function matchesPort({ ports, protocol }: HostRule, port: number | undefined, wanted: Protocol | undefined): boolean {
  if (port === undefined) return true;
  return (protocol === undefined || protocol === wanted) && ports.some(({ first, last }) => port >= first && port <= last);
}
