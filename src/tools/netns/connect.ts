import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { withLock } from "./lock.js";
import { readHost, runHost } from "../../network/host-command.js";
import { nameLink } from "./link-name.js";
import { listLinks, readLink, removeLink, writeLink, type Link } from "./link-state.js";
import { renderTable } from "./nat.js";
import { netnsError, netnsPath } from "./names.js";
import { addressOf, findFreeSubnet, formatSubnet, overlaps, parseSubnet, readSubnet, type Subnet } from "./subnet.js";
import { doOrUndo, undoAll } from "./undo.js";

export interface ConnectOptions {
  name: string;
  /** "10.77.0.0/30"; a free one of brig's own without it. */
  subnet?: string | undefined;
  nat: boolean;
  /** The interface with the way out; the default route's without it. */
  uplink?: string | undefined;
}

/**
 * Gives a namespace a way out: loopback up, a veth pair, addresses, a default route and NAT. All or nothing.
 * @returns what was made
 */
export function connect(options: ConnectOptions): Link {
  return withLock(() => {
    const link = planLink(options);
    doOrUndo(listSteps(link));
    return link;
  });
}

/** Undoes `connect`. @returns false when the namespace was not connected */
export function disconnect(name: string): boolean {
  return withLock(() => {
    const link = readLink(name);
    if (!link) return false;
    undoLink(link);
    return true;
  });
}

function undoLink(link: Link): void {
  const failure = undoAll(listSteps(link).flatMap(({ undo }) => (undo ? [undo] : [])).reverse());
  if (failure) throw failure;
}

function planLink(options: ConnectOptions): Link {
  const { name, nat } = options;
  if (!existsSync(netnsPath(name))) throw netnsError(`Cannot open network namespace "${name}": No such file or directory`, 255, `brig netns add ${name}`);
  const earlier = readLink(name);
  if (earlier && existsSync(forwardingFile(earlier.hostInterface)))
    throw netnsError(`network namespace "${name}" is connected already`, 1, `brig netns disconnect ${name}`);
  // The link went with a namespace that something else deleted; its table has not.
  if (earlier) undoLink(earlier);
  const taken = listTakenSubnets();
  const subnet = options.subnet === undefined ? findFreeSubnet(taken) : refuseTaken(parseSubnet(options.subnet), taken);
  const own = nameLink(name);
  const link: Link = { name, hostInterface: own, innerInterface: findInnerName(name), subnet: formatSubnet(subnet), table: own, nat };
  return nat ? { ...link, ...findUplink(options.uplink) } : link;
}

function listSteps(link: Link): { do: () => void; undo?: () => void }[] {
  const { name, hostInterface, innerInterface } = link;
  const subnet = readSubnet(link.subnet)!;
  const bits = subnet.bits;
  const [outer, inner] = [addressOf(subnet, 1), addressOf(subnet, 2)];
  const inside = (...words: string[]) => runHost("ip", ["-n", name, ...words]);
  return [
    { do: () => writeLink(link), undo: () => removeLink(name) },
    {
      do: () => runHost("ip", ["link", "add", hostInterface, "type", "veth", "peer", "name", innerInterface, "netns", name]),
      undo: () => removeInterface(hostInterface),
    },
    { do: () => runHost("ip", ["address", "add", `${outer}/${bits}`, "dev", hostInterface]) },
    { do: () => runHost("ip", ["link", "set", hostInterface, "up"]) },
    { do: () => inside("address", "add", `${inner}/${bits}`, "dev", innerInterface) },
    { do: () => inside("link", "set", "lo", "up") },
    { do: () => inside("link", "set", innerInterface, "up") },
    { do: () => inside("route", "add", "default", "via", outer) },
    ...(link.nat ? listNatSteps(link) : []),
  ];
}

// Forwarding is per interface (ip-sysctl: conf/INTERFACE/forwarding): the veth's, which goes with it, and the uplink's,
// where the answers come in. The host's other interfaces stay as they are.
function listNatSteps(link: Link): { do: () => void; undo?: () => void }[] {
  return [
    { do: () => runHost("nft", ["-f", "-"], renderTable(link)), undo: () => removeTable(link.table) },
    { do: () => setForwarding(link.hostInterface, true) },
    { do: () => setForwarding(link.uplink!, true), undo: () => restoreUplink(link) },
  ];
}

function restoreUplink({ name, uplink, uplinkForwarded }: Link): void {
  const others = listLinks().some((other) => other.name !== name && other.uplink === uplink);
  if (!uplinkForwarded && !others && existsSync(forwardingFile(uplink!))) setForwarding(uplink!, false);
}

function findUplink(wanted: string | undefined): { uplink: string; uplinkForwarded: boolean } {
  const routes = readHost("ip", ["-json", "-4", "route", "show", "default"]) as { dev?: string }[];
  const uplink = wanted ?? routes[0]?.dev;
  if (uplink === undefined)
    throw netnsError("this host has no default route, so there is no outside for NAT", 1, "--uplink INTERFACE names one, --no-nat goes without");
  if (!/^[^/\s]{1,15}$/.test(uplink) || uplink.startsWith(".") || !existsSync(forwardingFile(uplink)))
    throw netnsError(`Cannot find device ${JSON.stringify(uplink)}`);
  // What it was before the first of brig's namespaces was connected through it.
  const earlier = listLinks().find((link) => link.uplink === uplink)?.uplinkForwarded;
  return { uplink, uplinkForwarded: earlier ?? readFileSync(forwardingFile(uplink), "utf8").trim() === "1" };
}

function listTakenSubnets(): Subnet[] {
  const routes = readHost("ip", ["-json", "-4", "route", "show", "table", "all"]) as { dst?: string }[];
  const addresses = readHost("ip", ["-json", "-4", "address"]) as { addr_info?: { local?: string; prefixlen?: number }[] }[];
  const texts = [
    ...routes.map(({ dst }) => dst ?? ""),
    ...addresses.flatMap(({ addr_info }) => (addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`)),
    ...listLinks().map(({ subnet }) => subnet),
  ];
  return texts.flatMap((text) => readSubnet(text) ?? []).filter(({ bits }) => bits > 0);
}

function refuseTaken(subnet: Subnet, taken: Subnet[]): Subnet {
  const other = taken.find((some) => overlaps(subnet, some));
  if (other) throw netnsError(`${formatSubnet(subnet)} meets ${formatSubnet(other)}, which this host uses`);
  return subnet;
}

function findInnerName(name: string): string {
  const links = readHost("ip", ["-n", name, "-json", "link", "show"]) as { ifname?: string }[];
  const used = new Set(links.map(({ ifname }) => ifname));
  for (let number = 0; ; number++) if (!used.has(`eth${number}`)) return `eth${number}`;
}

function removeInterface(name: string): void {
  if (existsSync(forwardingFile(name))) runHost("ip", ["link", "delete", name]);
}

// Added first where it is missing, so that deleting is no error.
function removeTable(table: string): void {
  runHost("nft", ["-f", "-"], `table ip ${table}\ndelete table ip ${table}\n`);
}

function setForwarding(name: string, on: boolean): void {
  writeFileSync(forwardingFile(name), on ? "1" : "0");
}

// /proc/sys/net is this process's network namespace's, while /sys may be mounted for another one.
function forwardingFile(name: string): string {
  return `/proc/sys/net/ipv4/conf/${name}/forwarding`;
}
