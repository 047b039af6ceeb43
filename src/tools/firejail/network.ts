import { existsSync } from "node:fs";
import { type Draft } from "./draft.js";
import { refuseRule } from "./paths.js";
import { stageFile } from "./stage.js";
import { findLast, listValues, type Rule } from "./rule.js";

/** What needs an interface of its own in the sandbox. */
const ADDRESS_RULES = ["ip", "ip6", "iprange", "mac", "mtu", "netmask", "defaultgw", "veth-name", "interface", "netlock"];

/** net, netns, dns, hosts-file. netfilter is for an interface of the sandbox's own, and says nothing without one. */
export function applyNetwork(draft: Draft): void {
  const nets = draft.rules.filter(({ name }) => name === "net");
  const netns = findLast(draft.rules, "netns");
  const address = draft.rules.find(({ name }) => ADDRESS_RULES.includes(name));
  const isNone = nets.some(({ value }) => value === "none");
  if (address && nets.length === 0) throw refuseNetwork(address, `${address.name} is for an interface of the sandbox's own, and there is none`);
  if (isNone) return separate(draft, nets.find(({ value }) => value === "none")!);
  for (const rule of nets) if (rule.value !== "user") throw refuseNetwork(rule, `brig firejail does not connect a sandbox to ${rule.value}`);
  if (address) throw refuseNetwork(address, `the addresses of net=user are the host's: ${address.name} cannot be set`);
  if (nets.length > 0) return connectUser(draft, nets[0]!);
  if (netns) joinNamed(draft, netns);
  else draft.extension.network = { mode: "host" };
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
  draft.extension.network = { mode: "user" };
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
