import { existsSync } from "node:fs";
import { type Draft, isRoot } from "./draft.js";
import { readFirewalls } from "./firewall.js";
import { isInterfaceRule, readInterfaces } from "./interfaces.js";
import { refuseRule } from "./paths.js";
import { stageFile } from "./stage.js";
import { findLast, hasRule, listValues, type Rule } from "./rule.js";

/** net, interface, netns, dns, netfilter. netfilter is for an interface of the sandbox's own, and says nothing without one. */
export function applyNetwork(draft: Draft): void {
  const nets = draft.rules.filter(({ name }) => name === "net");
  const netns = findLast(draft.rules, "netns");
  const none = nets.find(({ value }) => value === "none");
  const connected = nets.filter(({ value }) => value !== "user");
  const detail = draft.rules.find(({ name }) => isInterfaceRule(name));
  if (none) return separate(draft, none);
  if (connected.length > 0 || hasRule(draft.rules, "interface")) return connectInterfaces(draft, connected);
  if (detail && nets.length === 0) throw refuseNetwork(detail, `${detail.name} is for an interface of the sandbox's own, and there is none`);
  if (detail) throw refuseNetwork(detail, `the addresses of net=user are the host's: ${detail.name} cannot be set`);
  if (nets.length > 0) return connectUser(draft, nets[0]!);
  if (netns) joinNamed(draft, netns);
  else draft.extension.network = { mode: "host" };
  applyNames(draft);
}

function connectInterfaces(draft: Draft, nets: readonly Rule[]): void {
  const other = draft.rules.find(({ name, value }) => name === "netns" || (name === "net" && value === "user"));
  const lock = findLast(draft.rules, "netlock");
  if (other) throw refuseNetwork(other, `${other.name} ${other.value} and an interface of the host exclude each other`);
  if (lock) throw refuseRule(lock, "BRIG_CANNOT_NETWORK", "brig firejail has no netlock, which guesses a firewall from the first minute of traffic", "brig run --allow-host NAME:PORT lets a program reach what is named and nothing else; --ignore=netlock goes without");
  const [first] = nets.length > 0 ? nets : draft.rules.filter(({ name }) => name === "interface");
  if (!isRoot(draft)) throw refuseRule(first!, "BRIG_CANNOT_NETWORK", `${first!.name} ${first!.value} needs root, who alone may change the host's interfaces`, "--net=user needs no rights: outgoing, through pasta; --net=none closes the network");
  draft.linux.namespaces!.push({ type: "network" });
  draft.extension.loopback = true;
  draft.extension.network = { mode: "interfaces", ...readInterfaces(draft) };
  const rules = readFirewalls(draft);
  if (rules.length > 0) draft.extension.network.rules = rules;
  draft.origins["/annotations/dev.brig.network"] = first!.origin;
  applyNames(draft);
}

function refuseNetwork(rule: Rule, message: string): Error {
  return refuseRule(rule, "BRIG_CANNOT_NETWORK", message, "--net=none, --net=user (outgoing, unprivileged, through pasta), or make a namespace with brig netns connect NAME and say --netns=NAME");
}

function separate(draft: Draft, rule: Rule): void {
  draft.linux.namespaces!.push({ type: "network" });
  draft.extension.loopback = true;
  draft.origins["/annotations/dev.brig.network"] = rule.origin;
  applyNames(draft);
}

function connectUser(draft: Draft, rule: Rule): void {
  draft.linux.namespaces!.push({ type: "network" });
  draft.extension.loopback = true;
  // pasta may not open the namespace of a process that has more rights than it keeps; root has a link of its own instead
  draft.extension.network = { mode: isRoot(draft) ? "veth" : "user" };
  draft.origins["/annotations/dev.brig.network"] = rule.origin;
  applyNames(draft);
}

function joinNamed(draft: Draft, rule: Rule): void {
  const path = `/run/netns/${rule.value}`;
  if (rule.value.includes("/") || rule.value.startsWith(".") || !existsSync(path)) throw refuseRule(rule, "BRIG_NO_SUCH_NAMESPACE", `there is no network namespace ${JSON.stringify(rule.value)}`, `brig netns add ${rule.value}`);
  draft.linux.namespaces!.push({ type: "network", path });
  draft.origins["/linux/namespaces"] = rule.origin;
}

/** Servers for names, and the file of names. */
function applyNames(draft: Draft): void {
  const servers = listValues(draft.rules, "dns");
  for (const { value, rule } of servers) if (!/^[\d.]+$|^[\da-fA-F:.]+$/.test(value)) throw refuseRule(rule, "BRIG_BAD_VALUE", `${value} is no address of a name server`, "--dns=8.8.8.8");
  if (servers.length > 4) throw refuseRule(servers[4]!.rule, "BRIG_BAD_VALUE", "at most four name servers", "leave some out");
  if (servers.length > 0) stageFile(draft, "/etc/resolv.conf", servers.map(({ value }) => `nameserver ${value}\n`).join(""), servers[0]!.rule.origin);
}
