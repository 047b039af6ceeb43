import type { HostLink, Network } from "../../spec/extension.js";
import { addBytes, formatHash, makeHash } from "../../plan/checksum.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import { refuseWords } from "./values.js";

/** The machine's end of its main link. */
const INNER = "host0";

/** What the words of the network come to: a namespace of the machine's own with these links, one that is joined, or the host's. */
export interface NetworkPlan {
  namespace: "host" | "own" | { path: string };
  network?: Network;
}

/** @throws BrigError BRIG_BAD_OPTION */
export function planNetwork(options: NspawnOptions, context: NspawnContext, machine: string): NetworkPlan {
  const links = listLinks(options, context, machine);
  if (options.namespacePath !== undefined) {
    if (links.length > 0 || options.privateNetwork) throw refuseWords("--network-namespace-path= cannot be combined with other network options.");
    return { namespace: { path: options.namespacePath } };
  }
  if (!options.privateNetwork) {
    if (options.ports.length > 0) throw refuseWords("Cannot use --port= without private networking.", "--network-veth gives the machine a network of its own");
    return { namespace: "host" };
  }
  const ports = options.ports.map(({ protocol, host, inner }) => ({ protocol, host, guest: inner }));
  if (links.length === 0 && ports.length === 0) return { namespace: "own" };
  return { namespace: "own", network: { mode: "links", links, ...(ports.length > 0 ? { ports } : {}) } };
}

function listLinks(options: NspawnOptions, context: NspawnContext, machine: string): HostLink[] {
  if (options.bridge !== undefined && options.zone !== undefined) throw refuseWords("--network-bridge= and --network-zone= may not be combined.");
  const mac = (name: string): string => chooseMac(context, `${machine}\0${name}`);
  const veth = (host: string, inner: string): HostLink => ({ kind: "veth", host, inner, hostMac: mac(`host ${host}`), mac: mac(`inner ${inner}`) });
  const main = options.veth ? [mainLink(options, machine, veth)] : [];
  const extra = options.vethExtra.map(({ host, inner }) => veth(host, inner));
  const on = (kind: "macvlan" | "ipvlan") => options[kind].map((link): HostLink => ({ kind, ...link }));
  return [...main, ...extra, ...on("macvlan"), ...on("ipvlan"), ...options.interfaces.map((link): HostLink => ({ kind: "interface", ...link }))];
}

/** "ve-NAME" to the host, "vb-NAME" to a bridge. */
function mainLink({ bridge, zone }: NspawnOptions, machine: string, veth: (host: string, inner: string) => HostLink): HostLink {
  const master = bridge ?? (zone === undefined ? undefined : `vz-${zone}`);
  const link = veth(shorten(`${master === undefined ? "ve" : "vb"}-${machine}`), INNER);
  return master === undefined ? link : { ...link, kind: "veth", bridge: master, ...(zone === undefined ? {} : { zone: true }) } as HostLink;
}

/** An interface's name has 15 bytes: of a longer one the end tells it apart. */
function shorten(name: string): string {
  return name.length <= 15 ? name : `${name.slice(0, 11)}${digest(name).slice(0, 4)}`;
}

/** The same each time, of the block for local use, and no group's. */
function chooseMac({ machineId }: NspawnContext, seed: string): string {
  const bytes = (digest(`${machineId}\0${seed}`).slice(0, 12).match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function digest(text: string): string {
  const hash = makeHash();
  addBytes(hash, Buffer.from(text));
  return formatHash(hash);
}
