import { existsSync, realpathSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { addMount, byDefault, consultFile, type Draft, originOfOption, originOrDefault } from "./draft.js";
import type { NetworkLink } from "../spec/extension.js";
import { type AskedNetwork, describeNetwork, findMembers } from "../network/named/join.js";
import { RESOLVER_FILE } from "../network/named/resolvers.js";
import { definitionFile } from "../network/named/store.js";
import { checkLinkWords, checkPort, readLinkMode, setLink } from "./network-link.js";
import { setHosts } from "./network-hosts.js";
import { bindHostFiles } from "./host-files.js";
import { parseResolver } from "./parse/ip.js";
import { isNamed, parseNetworks } from "./parse/networks.js";
import { type PublishedPort, parsePublish } from "./parse/publish.js";

/** Network namespace, loopback, a user-space way out, and where names are asked. */
export function setNetwork(draft: Draft): void {
  const filters = draft.options.allowHosts !== undefined || draft.options.denyHosts !== undefined;
  const { net = filters ? "user" : "none", publish = [] } = draft.options;
  if (filters && net !== "user") throw refuse(draft, "/net", `--net ${net} goes past a list of allowed hosts`, "leave --net out, or the list");
  checkLinkWords(draft, filters ? "filter" : net);
  const origin = filters ? originOfOption(draft, draft.options.allowHosts?.length ? "/allowHosts/0" : "/denyHosts/0") : originOrDefault(draft, "net", "no network but loopback");
  const named = isNamed(net) ? parseNetworks(net, "net") : undefined;
  if (publish.length > 0 && net !== "user" && !named) throw refuse(draft, "/publish", "ports are published only with --net user and with a network of brig network", "add --net user");
  draft.origins["/annotations/dev.brig.network"] = origin;
  if (net === "host") return shareHost(draft);
  if (net.startsWith("netns=")) return joinNamespace(draft, net.slice("netns=".length));
  if (named) return joinNamed(draft, named, publish);
  const link = readLinkMode(draft, net);
  if (net !== "none" && net !== "user" && !link) throw refuse(draft, "/net", `there is no network called ${JSON.stringify(net)}`, "none, host, user, netns=NAME, veth, bridge, bridge=NAME, macvlan=INTERFACE, or one of brig network ls");
  draft.linux.namespaces?.push({ type: "network" });
  draft.extension.loopback = true;
  if (net === "none") return;
  if (filters) draft.extension.network = { mode: "user", filter: setHosts(draft) };
  else draft.extension.network = { mode: link?.mode ?? "user", ...(link ? {} : { ports: publish.flatMap((words, index) => checkHostPort(draft, parsePublish(words, "publish"), index)) }), ...setLink(draft, link?.on) };
  showResolver(draft);
}

/** pasta(1) is told every port. */
function checkHostPort(draft: Draft, ports: PublishedPort[], index: number): PublishedPort[] {
  if (ports.every(({ host }) => host !== 0)) return ports;
  throw refuse(draft, `/publish/${index}`, "with --net user a published port needs a port of the host's", "write HOST:GUEST; a network of brig network can choose one");
}

/** Networks that `brig network create` defined. */
function joinNamed(draft: Draft, asked: AskedNetwork[], publish: string[]): void {
  for (const { name } of asked) consultFile(draft, definitionFile(name));
  const dns = draft.options.dns?.map((text, index) => checkPort(draft, parseResolver(text, "--dns"), index));
  if (dns === undefined) consultFile(draft, RESOLVER_FILE);
  const members = findNamed(draft, asked);
  const resolver = findResolverPlace(draft);
  const network = describeNetwork(members, { publish: publish.flatMap((words) => parsePublish(words, "publish")), resolver, ...(dns === undefined ? {} : { dns }) });
  draft.linux.namespaces?.push({ type: "network" });
  draft.extension.loopback = true;
  if (network) draft.extension.network = network;
}

function findNamed(draft: Draft, asked: AskedNetwork[]): ReturnType<typeof findMembers> {
  try {
    return findMembers(asked);
  } catch (error) {
    if (!(error instanceof BrigError && error.code === "BRIG_NO_SUCH_NETWORK")) throw error;
    const { net = "" } = draft.options;
    const hint = "none, host, user, netns=NAME, veth, bridge, bridge=NAME, macvlan=INTERFACE, or one of brig network ls";
    throw new BrigError(`there is no network called ${JSON.stringify(net)}`, { code: error.code, origin: describeOrigin(originOfOption(draft, "/net")), hint, cause: error });
  }
}

function shareHost(draft: Draft): void {
  draft.extension.network = { mode: "host" };
  draft.notes.push("the payload has the host's network: it reaches what listens on 127.0.0.1 and everything that the host reaches");
  showResolver(draft);
}

function joinNamespace(draft: Draft, name: string): void {
  const path = `/run/netns/${name}`;
  if (name === "" || name.includes("/") || name === "." || name === "..") throw refuse(draft, "/net", `${JSON.stringify(name)} is no name of a network namespace`, "brig netns list");
  if (!existsSync(path)) throw refuse(draft, "/net", `there is no network namespace ${JSON.stringify(name)}`, `make it with brig netns add ${name}`);
  draft.linux.namespaces?.push({ type: "network", path });
  showResolver(draft);
}

/** /etc/resolv.conf is often a link into /run, which is private. */
function showResolver(draft: Draft): void {
  if (draft.extension.network?.link?.dns) return setResolver(draft, draft.extension.network.link);
  if (draft.options.root !== undefined) return bindHostFiles(draft, "network");
  const path = "/etc/resolv.conf";
  if (!existsSync(consultFile(draft, path))) return;
  const real = realpathSync.native(path);
  if (real.startsWith("/etc/")) return;
  addMount(draft, { destination: real, type: "bind", source: real, options: ["bind", "ro", "nosuid", "nodev", "noexec"] }, byDefault("names are looked up where the host does"));
}

/** Where the resolv.conf stands that names other resolvers than the host's. */
function setResolver(draft: Draft, link: NetworkLink): void {
  link.resolver = findResolverPlace(draft);
}

function findResolverPlace(draft: Draft): string {
  const path = "/etc/resolv.conf";
  return draft.options.root === undefined && existsSync(consultFile(draft, path)) ? realpathSync.native(path) : path;
}

function refuse(draft: Draft, pointer: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, pointer)), hint });
}
