import { BrigError } from "../../error/brig-error.js";
import { type Extension, type Network, type NetworkMember, readExtension, writeExtension } from "../../spec/extension.js";
import type { Spec } from "../../spec/oci.js";
import { formatAddress, isWithin, type Range, readAddress, readRange } from "../rules/address.js";
import type { NetworkDefinition, Subnet } from "./definition.js";
import { listResolvers } from "./resolvers.js";
import { findNetwork } from "./store.js";

/** A network that a sandbox joins, and what it has there; what is left out is chosen. */
export interface AskedNetwork {
  /** Name, id, or an id's beginning. */
  name: string;
  /** "10.1.2.3". */
  ip?: string;
  ip6?: string;
  /** "02:00:5e:10:00:01". */
  mac?: string;
  /** What the other members call it, beside its name, its host name and its id. */
  aliases?: string[];
}

export interface AskedNetworks {
  /** The first has the default route. */
  networks: AskedNetwork[];
  /** Ports of the host that lead inside; 0: one that is free. Only what the host's own firewall lets in comes in. */
  publish?: NonNullable<Network["ports"]>;
  /** Resolvers that are asked what no member of a network is called; the host's without it. */
  dns?: string[];
  /** Where the payload finds its resolv.conf. Default /etc/resolv.conf. */
  resolver?: string;
}

/** Where brig answers for the names of a network, inside. */
export const NAME_SERVER = "127.0.0.11";

/**
 * A copy of the spec whose sandbox is on these networks: reads the networks' definitions, and changes nothing on the
 * host; addresses are chosen, and links made, when the sandbox starts, and everything is undone at its end. The spec
 * has a new network namespace. Only networks with the driver "none" leave it with loopback alone.
 *
 * @throws BrigError BRIG_NO_SUCH_NETWORK, BRIG_BAD_VALUE
 */
export function joinNetworks(spec: Spec, asked: AskedNetworks): Spec {
  const extension = readExtension(spec);
  const members = findMembers(asked.networks);
  const namespaces = (spec.linux?.namespaces ?? []).filter(({ type }) => type !== "network");
  const linux = { ...spec.linux, namespaces: [...namespaces, { type: "network" as const }] };
  const network = describeNetwork(members, asked);
  const joined: Extension = { ...extension, loopback: true };
  if (network) joined.network = network;
  else delete joined.network;
  return writeExtension({ ...spec, linux }, joined);
}

/** The extension's part for these; undefined where there is nothing but loopback. */
export function describeNetwork(members: NetworkMember[], { publish = [], dns, resolver = "/etc/resolv.conf" }: Omit<AskedNetworks, "networks">): Network | undefined {
  if (members.length === 0 && publish.length > 0) throw bad("ports cannot be published from a network with loopback alone", "leave the ports out, or name another network");
  if (members.length === 0) return undefined;
  if (members[0]?.internal && publish.length > 0) throw bad(`network ${members[0].name} is internal: nothing outside reaches its members`, "leave the ports out, or name another network first");
  return {
    mode: "named",
    networks: members,
    link: { dns: [NAME_SERVER], resolver },
    ...(publish.length > 0 ? { ports: publish } : {}),
    servers: dns ?? listResolvers(),
  };
}

/** @throws BrigError BRIG_NO_SUCH_NETWORK, BRIG_BAD_VALUE */
export function findMembers(asked: readonly AskedNetwork[]): NetworkMember[] {
  const members = asked.flatMap((each) => describeMember(findNetwork(each.name), each) ?? []);
  const twice = members.find(({ id }, index) => members.findIndex((other) => other.id === id) !== index);
  if (twice) throw bad(`network ${twice.name} is named twice`, "a sandbox has one place in a network");
  return members;
}

/** Undefined for a network of the driver "none". @throws BrigError BRIG_BAD_VALUE */
export function describeMember(definition: NetworkDefinition, asked: Omit<AskedNetwork, "name">): NetworkMember | undefined {
  const { name, id, driver, device, subnets, internal, isolated, routed, mtu } = definition;
  const [inet, inet6] = subnets;
  if (driver === "none" || !inet) return undefined;
  return {
    name, id, driver, device, ...takeSubnet(inet),
    ...(inet6 ? { subnet6: inet6.subnet, ...(inet6.gateway === undefined ? {} : { gateway6: inet6.gateway }) } : {}),
    ...(internal ? { internal } : {}), ...(isolated ? { isolated } : {}), ...(routed ? { routed } : {}),
    ...(mtu === undefined ? {} : { mtu }),
    ...(asked.ip === undefined ? {} : { address: checkAddress(asked.ip, inet, name) }),
    ...(asked.ip6 === undefined ? {} : { address6: checkAddress(asked.ip6, inet6, name) }),
    ...(asked.mac === undefined ? {} : { mac: checkMac(asked.mac) }),
    ...(asked.aliases?.length ? { aliases: asked.aliases.map(checkAlias) } : {}),
  };
}

function takeSubnet({ subnet, gateway, range }: Subnet): Subnet {
  return { subnet, ...(gateway === undefined ? {} : { gateway }), ...(range === undefined ? {} : { range }) };
}

function checkAddress(text: string, subnet: Subnet | undefined, network: string): string {
  const address = readAddress(text);
  if (!address) throw bad(`${JSON.stringify(text)} is no IP address`, "write it as in 10.1.2.3");
  const range = subnet && readRange(subnet.subnet);
  if (!range || !isWithin(address, range)) throw bad(`network ${network} has no address ${text}`, subnet ? `its addresses are those of ${subnet.subnet}` : "it has no IPv6: brig network create --ipv6");
  const canonical = formatAddress(address);
  if (isReserved(address.value, range) || canonical === subnet.gateway) throw bad(`${text} is not for a member of the network ${network}`, "the network's own address, its broadcast address and its router's are taken");
  return canonical;
}

/** IPv4's first address is the network's and its last everybody's; IPv6's first is every router's (RFC 4291, 2.6.1). */
function isReserved(value: bigint, range: Range): boolean {
  const size = 1n << BigInt((range.family === 4 ? 32 : 128) - range.bits);
  return value === range.value || (range.family === 4 && value === range.value + size - 1n);
}

/** The lowest bit of the first byte is a group's (IEEE 802). */
function checkMac(mac: string): string {
  if (/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(mac) && mac !== "00:00:00:00:00:00") return mac.toLowerCase();
  throw bad(`${JSON.stringify(mac)} is no hardware address of an interface`, 'write it as in "02:00:5e:10:00:01"');
}

function checkAlias(alias: string): string {
  if (/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9])?$/.test(alias)) return alias;
  throw bad(`${JSON.stringify(alias)} is no host name`, "letters, digits, dots, dashes and underscores");
}

function bad(message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", hint });
}
