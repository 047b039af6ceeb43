import { addStep, type Context, refuse } from "./context.js";
import type { Network, NetworkLink } from "../../spec/extension.js";
import { BIND, MOUNT_ATTR, MS } from "../format.js";
import { compileGateway } from "./gateway.js";
import { compileBandwidth, compileLink, findRouter, INNER } from "./link.js";
import { compileInterfaces, compileRules } from "./interfaces.js";
import { compileNamedNetwork } from "./named-network.js";
import { compileHostLinks } from "./host-links.js";
import { isNew } from "./namespaces.js";

const POINTER = "/annotations/dev.brig.network";
const START_TIMEOUT_MS = 10_000;

/** Outgoing network through pasta(1), which is attached to the sandbox's network namespace from outside. */
export function compileNetwork(context: Context): void {
  const { extension } = context;
  const { network } = extension;
  if (!network || network.mode === "none") return;
  if (network.mode === "host") return checkHostNetwork(context);
  if (!isNew(context, "network")) throw refuse(extension, POINTER, "BRIG_BAD_SPEC", "a network of its own needs a new network namespace", 'add {"type": "network"} to linux.namespaces');
  compileResolver(context, network.link);
  if (network.mode === "links") return compileHostLinks(context, network);
  if (network.mode === "interfaces") compileInterfaces(context, network.interfaces ?? []);
  else if (network.mode === "named") compileNamedNetwork(context, network);
  else if (network.mode !== "user") compileLink(context, network.mode, network.link ?? {});
  else compileUser(context, network);
  compileRules(context, network.rules ?? []);
}

function compileUser(context: Context, network: Network): void {
  const { extension, host } = context;
  if (network.filter) return compileGateway(context, network.filter);
  const pasta = host.hasTool("pasta");
  if (!pasta) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "the user-space network needs pasta", "apt-get install passt");
  const link = findNamespaceLink(context);
  const run = (argv: string[]): void => addStep(context, "parent", { op: "RUN", argv, input: "", timeoutMs: START_TIMEOUT_MS, substitute: true }, POINTER);
  run([findLinkTool(context), "-s", "/proc/%p/ns/net", link]);
  run([pasta, ...listPastaWords(context), "--netns", link]);
  compileBandwidth(context, network.link ?? {});
}

const RESOLVER = "/run/.brig-resolv.conf";

/** A resolv.conf of the sandbox's own over the host's, which it sees read-only. */
function compileResolver(context: Context, link: NetworkLink | undefined): void {
  if (!link?.dns || link.resolver === undefined) return;
  const content = link.dns.map((address) => `nameserver ${address}\n`).join("");
  addStep(context, "child", { op: "FILE", path: RESOLVER, mode: 0o644, content }, POINTER);
  addStep(context, "child", { op: "BIND", source: RESOLVER, target: link.resolver, set: MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC, clear: 0, flags: BIND.FROM_NEW_ROOT | BIND.CREATE, propagation: MS.PRIVATE }, POINTER);
}

/**
 * pasta holds the network namespace open, so that it would stay when the sandbox is gone. What it does notice is that
 * the file that it was given is removed: that is a link in the state folder, which goes with the sandbox.
 */
function findNamespaceLink({ extension, options, inPlace }: Context): string {
  if (options.runFolder !== undefined && !extension.stateless && !inPlace) return `${options.runFolder.replaceAll("%", "%%")}/%i/netns`;
  throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "the user-space network needs a state folder, by whose end it notices the sandbox's", "leave out stateless");
}

function findLinkTool({ extension, host }: Context): string {
  const tool = host.hasTool("ln");
  if (tool) return tool;
  throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "the user-space network needs ln(1)", "apt-get install coreutils");
}

function checkHostNetwork(context: Context): void {
  if (context.namespaces.network === "host") return;
  throw refuse(context.extension, POINTER, "BRIG_BAD_SPEC", "the host's network and a network namespace exclude each other", "leave the network namespace out");
}

/**
 * --config-net: addresses and routes as the host has them, without DHCP inside. Nothing is forwarded into the sandbox
 * but the published ports, and its gateway does not lead to the host's own loopback (--no-map-gw).
 */
function listPastaWords({ extension, host, namespaces }: Context): string[] {
  const ports = (protocol: "tcp" | "udp"): string[] => {
    const listed = (extension.network?.ports ?? []).filter((port) => port.protocol === protocol);
    return listed.length === 0 ? ["none"] : listed.map(({ host: outer, guest, address }) => `${address ? `${address}/` : ""}${outer}:${guest}`);
  };
  const flags = [
    ...ports("tcp").flatMap((spec) => ["-t", spec]), ...ports("udp").flatMap((spec) => ["-u", spec]),
    "-T", "none", "-U", "none",
  ];
  const runAs = host.euid === 0 ? ["--runas", "0:0"] : [];
  const users = namespaces.user === "host" ? ["--netns-only"] : ["--userns", "/proc/%p/ns/user"];
  return ["--config-net", "--quiet", "--no-map-gw", ...listLinkWords(extension.network?.link), ...runAs, ...flags, ...users];
}

/** pasta answers for every router, so that any address of the network will do. */
function listLinkWords(link: NetworkLink | undefined): string[] {
  if (!link) return [];
  const { address, gateway, mtu, mac } = link;
  const [own, bits] = address?.split("/") ?? [];
  const router = gateway ?? (address === undefined || address.includes(":") ? undefined : findRouter(address));
  const words = { "--address": own, "--netmask": own?.includes(":") ? undefined : bits, "--gateway": router, "--mtu": mtu, "--ns-mac-addr": mac };
  const shaped = link.download !== undefined || link.upload !== undefined ? ["--ns-ifname", INNER] : [];
  return [...Object.entries(words).flatMap(([word, value]) => (value === undefined ? [] : [word, String(value)])), ...shaped];
}
