import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readHost } from "../host-command.js";
import { formatAddress, isWithin, type Range, readAddress, readRange } from "../rules/address.js";
import type { NetworkDefinition, Subnet } from "./definition.js";
import { networkError } from "./errors.js";
import { addressAt, findFreeRange, formatRange, overlaps, readTaken, sizeOf } from "./range.js";
import { addNetwork, changeNetworks, listNetworks, NETWORK_NAME, PREDEFINED } from "./store.js";

/** What `brig network create` was asked. Lists of subnets, gateways and ranges go together by the family and place. */
export interface NetworkWish {
  name: string;
  driver?: string;
  subnets?: string[];
  gateways?: string[];
  ranges?: string[];
  ipv6?: boolean;
  internal?: boolean;
  isolated?: boolean;
  labels?: Record<string, string>;
  /** Of the driver, as docker names them: "com.docker.network.driver.mtu", "parent". */
  options?: Record<string, string>;
}

/** Two hosts and a router are the least. */
const LONGEST = { 4: 29, 6: 96 } as const;
const SHORTEST = { 4: 8, 6: 16 } as const;

/**
 * Defines a network. Nothing is made on the host before somebody joins it.
 * @throws BrigError BRIG_BAD_VALUE, BRIG_NETWORK_EXISTS, BRIG_SUBNET_TAKEN
 */
export function createNetwork(wish: NetworkWish): NetworkDefinition {
  const { name } = wish;
  if (!NETWORK_NAME.test(name)) throw bad(`${JSON.stringify(name)} is no name for a network`, "letters, digits, _ . and -, beginning with a letter or digit, at most 63");
  if ((PREDEFINED as readonly string[]).includes(name)) throw networkError("BRIG_NETWORK_EXISTS", `operation is not permitted on predefined ${name} network`);
  return changeNetworks(() => {
    const definition = defineNetwork(wish, listNetworks());
    addNetwork(definition);
    return definition;
  });
}

function defineNetwork(wish: NetworkWish, others: NetworkDefinition[]): NetworkDefinition {
  const { name, internal = false, isolated = false, labels = {}, options = {} } = wish;
  const id = randomBytes(32).toString("hex");
  const driver = readDriver(wish.driver ?? "bridge");
  const { device, mtu, routed } = readOptions(options, driver, id, others);
  const subnets = driver === "none" ? refuseSubnets(wish) : chooseSubnets(wish, driver, others);
  if (isolated && driver !== "bridge") throw bad(`a ${driver} network cannot keep its members apart`, "--isolated is for the driver bridge");
  if (internal && driver !== "bridge") throw bad(`a ${driver} network cannot be kept from the outside`, "--internal is for the driver bridge");
  return { name, id, created: new Date().toISOString(), driver, device, subnets, internal, isolated, routed, ...(mtu === undefined ? {} : { mtu }), labels, options };
}

function readDriver(text: string): NetworkDefinition["driver"] {
  const driver = text === "null" ? "none" : text;
  if (driver === "bridge" || driver === "macvlan" || driver === "ipvlan" || driver === "none") return driver;
  throw bad(`there is no network driver ${JSON.stringify(text)}`, "bridge, macvlan, ipvlan or none");
}

/** dev_valid_name() of Linux, without what a rule file or a shell would have to quote. */
const INTERFACE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/;

function readOptions(options: Record<string, string>, driver: NetworkDefinition["driver"], id: string, others: NetworkDefinition[]): { device: string; mtu?: number; routed: boolean } {
  const known = new Set(["com.docker.network.driver.mtu", "mtu", ...(driver === "bridge" ? ["com.docker.network.bridge.name", "com.docker.network.bridge.enable_ip_masquerade"] : ["parent"])]);
  for (const name of Object.keys(options)) if (!known.has(name)) throw bad(`the driver ${driver} has no option ${JSON.stringify(name)}`, `it has: ${[...known].join(", ")}`);
  const mtu = options["com.docker.network.driver.mtu"] ?? options["mtu"];
  if (mtu !== undefined && !(/^\d{2,5}$/.test(mtu) && Number(mtu) >= 68 && Number(mtu) <= 65535)) throw bad(`${JSON.stringify(mtu)} is no size of a packet`, "68 to 65535 bytes");
  const routed = options["com.docker.network.bridge.enable_ip_masquerade"] === "false";
  return { device: readDevice(options, driver, id, others), routed, ...(mtu === undefined ? {} : { mtu: Number(mtu) }) };
}

function readDevice(options: Record<string, string>, driver: NetworkDefinition["driver"], id: string, others: NetworkDefinition[]): string {
  if (driver === "none") return "";
  if (driver !== "bridge" && options["parent"] === undefined) throw bad(`a ${driver} network needs the interface that it is on`, "--opt parent=eth0");
  const device = options["parent"] ?? options["com.docker.network.bridge.name"] ?? `br-${id.slice(0, 12)}`;
  if (!INTERFACE.test(device)) throw bad(`${JSON.stringify(device)} is no name for an interface`, "at most 15 letters, digits, dots, dashes and underscores");
  const exists = existsSync(`/proc/sys/net/ipv4/conf/${device}`);
  if (driver !== "bridge" && !exists) throw bad(`this host has no interface ${device}`, "ip link shows them");
  if (driver === "bridge" && (exists || others.some((other) => other.device === device))) throw networkError("BRIG_NETWORK_EXISTS", `this host has an interface ${device} already`, "another name, or none: --opt com.docker.network.bridge.name=NAME");
  return device;
}

function refuseSubnets({ subnets, gateways, ranges, ipv6 }: NetworkWish): [] {
  if (subnets?.length || gateways?.length || ranges?.length || ipv6) throw bad("a network of the driver none has no addresses", "leave --subnet, --gateway, --ip-range and --ipv6 out");
  return [];
}

function chooseSubnets(wish: NetworkWish, driver: NetworkDefinition["driver"], others: NetworkDefinition[]): Subnet[] {
  const asked = (wish.subnets ?? []).map(readSubnet);
  const taken = [...(driver === "bridge" ? listHostNetworks() : []), ...others.flatMap(({ subnets }) => subnets.flatMap(({ subnet }) => readRange(subnet) ?? []))];
  for (const subnet of asked) {
    const other = taken.find((some) => some.bits > 0 && overlaps(subnet, some));
    if (other) throw networkError("BRIG_SUBNET_TAKEN", `${formatRange(subnet)} meets ${formatRange(other)}, which this host or another network uses`, "another --subnet, or none: brig finds one that is free");
  }
  const inet = asked.filter(({ family }) => family === 4);
  const inet6 = asked.filter(({ family }) => family === 6);
  if (inet.length > 1 || inet6.length > 1) throw bad("a network has one subnet of IPv4 and one of IPv6", "leave the others out");
  const first = inet[0] ?? findFreeRange(taken);
  if (!first) throw networkError("BRIG_SUBNET_TAKEN", "no subnet is left for a network", "name one: --subnet 10.1.2.0/24");
  const second = inet6[0] ?? (wish.ipv6 ? drawUniqueLocal() : undefined);
  const rest = { gateways: [...(wish.gateways ?? [])], ranges: [...(wish.ranges ?? [])] };
  const subnets = [first, ...(second ? [second] : [])].map((range) => describeSubnet(range, rest, driver));
  const left = rest.gateways[0] ?? rest.ranges[0];
  if (left !== undefined) throw bad(`${left} is in none of the network's subnets`, "name the --subnet that it belongs to");
  return subnets;
}

function readSubnet(text: string): Range {
  const range = readRange(text);
  const bits = range && text.includes("/") ? range.bits : -1;
  if (!range || bits < SHORTEST[range.family] || bits > LONGEST[range.family]) throw bad(`${JSON.stringify(text)} is no subnet`, "as in 10.1.2.0/24 (/8 to /29) or fd00:1:2:3::/64 (/16 to /96), with nothing behind the prefix");
  return range;
}

/** fd, and 40 bits that nobody else has drawn (RFC 4193). */
function drawUniqueLocal(): Range {
  return { family: 6, value: BigInt(`0xfd${randomBytes(5).toString("hex")}`) << 80n, bits: 64 };
}

/** Takes the gateway and the range that are within this subnet. The first address is the router's otherwise. */
function describeSubnet(subnet: Range, rest: { gateways: string[]; ranges: string[] }, driver: NetworkDefinition["driver"]): Subnet {
  const gateway = take(rest.gateways, (text) => isInside(readAddress(text), subnet));
  const range = take(rest.ranges, (text) => isInside(readRange(text), subnet));
  if (range !== undefined && subnet.family === 6) throw bad("--ip-range is for IPv4: IPv6 addresses follow it", "leave it out");
  if (gateway !== undefined && isEdge(readAddress(gateway)!.value, subnet)) throw bad(`${gateway} can be nobody's address in ${formatRange(subnet)}`, "the first and the last one of a subnet cannot");
  // on somebody else's network the router is where it is, or there is none
  const router = gateway ?? (driver === "bridge" ? addressAt(subnet, 1n) : undefined);
  return { subnet: formatRange(subnet), ...(router === undefined ? {} : { gateway: formatAddress(readAddress(router)!) }), ...(range === undefined ? {} : { range }) };
}

function isInside(inner: { family: 4 | 6; value: bigint; bits?: number } | undefined, subnet: Range): boolean {
  return inner !== undefined && isWithin(inner, subnet) && (inner.bits ?? 128) >= subnet.bits;
}

function isEdge(value: bigint, subnet: Range): boolean {
  return value === subnet.value || (subnet.family === 4 && value === subnet.value + sizeOf(subnet) - 1n);
}

function take(list: string[], matches: (text: string) => boolean): string | undefined {
  const index = list.findIndex(matches);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

/** What this host's routes and addresses reach. */
function listHostNetworks(): Range[] {
  const routes = (family: string): { dst?: string }[] => readHost("ip", ["-json", family, "route", "show", "table", "all"]) as { dst?: string }[];
  const addresses = readHost("ip", ["-json", "address"]) as { addr_info?: { local?: string; prefixlen?: number }[] }[];
  const texts = [
    ...routes("-4").map(({ dst }) => dst ?? ""), ...routes("-6").map(({ dst }) => dst ?? ""),
    ...addresses.flatMap(({ addr_info }) => (addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`)),
  ];
  return texts.flatMap((text) => readTaken(text) ?? []).filter(({ family, bits }) => bits > (family === 4 ? 0 : 3));
}

function bad(message: string, hint: string) {
  return networkError("BRIG_BAD_VALUE", message, hint);
}
