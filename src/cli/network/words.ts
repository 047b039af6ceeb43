import { connectSandbox, disconnectSandbox, removeNetwork } from "../../network/named/connect.js";
import { createNetwork, type NetworkWish } from "../../network/named/create.js";
import { listMembers } from "../../network/named/members.js";
import { listNetworks, PREDEFINED } from "../../network/named/store.js";
import { sweepNetworks } from "../../network/named/sweep.js";
import { findSandbox } from "../../sandbox/find.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print } from "../output/print.js";
import { askYes } from "./ask-yes.js";
import { forEachNetwork, readPairs } from "./each-network.js";
import { showNetworks } from "./ls.js";
import { inspectNetworks } from "./inspect.js";

/** The words behind `brig network`, each with the grammar of docker's. */
export const networkWords: CommandForm[] = [
  {
    name: "network create",
    usage: ["network create [OPTIONS] NETWORK"],
    description: "Defines a network and prints its id. Nothing is made on the host before the first sandbox joins it.",
    options: [
      { name: "driver", short: "d", value: "DRIVER", complete: ["bridge", "macvlan", "ipvlan", "none"], help: "bridge (default), macvlan or ipvlan on an interface of the host's (--opt parent=eth0), none" },
      { name: "subnet", value: "CIDR", repeat: true, help: "10.1.2.0/24 or fd00:1::/64 (default: one that is free)" },
      { name: "gateway", value: "ADDR", repeat: true, help: "the router's address (default: the first)" },
      { name: "ip-range", value: "CIDR", repeat: true, help: "the part of the subnet that addresses are chosen from" },
      { name: "ipv6", help: "IPv6 too" },
      { name: "internal", help: "no way out, and none in" },
      { name: "isolated", help: "its members do not reach each other" },
      { name: "label", value: "NAME[=VALUE]", repeat: true, help: "a label for ls and prune" },
      { name: "opt", short: "o", value: "NAME=VALUE", repeat: true, help: "com.docker.network.driver.mtu, com.docker.network.bridge.name, com.docker.network.bridge.enable_ip_masquerade; parent" },
      { name: "attachable", help: "as every network of brig's is", hidden: true },
      { name: "ipv4", help: "as every network of brig's has", hidden: true },
    ],
    examples: [{ words: "brig network create --subnet 10.77.0.0/24 --label stage=test front", what: "with a subnet of one's own" }],
    minOperands: 1,
    maxOperands: 1,
    run: (words) => print(createNetwork(readWish(words)).id),
  },
  {
    name: "network ls",
    usage: ["network ls [-q] [--no-trunc] [--json] [--filter KEY=VALUE]…"],
    options: [
      { name: "quiet", short: "q", help: "only the ids" },
      { name: "no-trunc", help: "whole ids" },
      { name: "filter", short: "f", value: "KEY=VALUE", repeat: true, help: "name=, id= (a part), driver=, label=NAME[=VALUE], type=custom|builtin, dangling=true|false" },
      jsonOption,
    ],
    examples: [{ words: "brig network ls --filter driver=bridge", what: "those that are bridges" }],
    maxOperands: 0,
    run: (words) => showNetworks(words),
  },
  {
    name: "network inspect",
    usage: ["network inspect NETWORK…"],
    description: "Prints what docker network inspect prints: the definition, and who is on it.",
    options: [{ name: "verbose", short: "v", help: "as without it", hidden: true }, jsonOption],
    examples: [{ words: "brig network inspect front | jq '.[0].Containers'", what: "who is on it" }],
    minOperands: 1,
    run: (words) => inspectNetworks(words),
  },
  {
    name: "network rm",
    usage: ["network rm [-f] NETWORK…"],
    options: [{ name: "force", short: "f", help: "no error for a network that does not exist" }],
    examples: [{ words: "brig network rm front back", what: "two that nobody is on" }],
    minOperands: 1,
    run: (words) => forEachNetwork(words, (definition) => removeNetwork(definition)),
  },
  {
    name: "network prune",
    usage: ["network prune [-f] [--filter label=NAME[=VALUE]]…"],
    options: [
      { name: "force", short: "f", help: "without a question" },
      { name: "filter", value: "KEY=VALUE", repeat: true, help: "label=NAME[=VALUE], label!=NAME[=VALUE]" },
    ],
    examples: [{ words: "brig network prune -f", what: "all that nobody is on" }],
    maxOperands: 0,
    run: (words) => pruneNetworks(words),
  },
  {
    name: "network connect",
    usage: ["network connect [--ip ADDR] [--ip6 ADDR] [--alias NAME]… NETWORK SANDBOX"],
    options: [
      { name: "ip", value: "ADDR", help: "its address there" },
      { name: "ip6", value: "ADDR", help: "its IPv6 address there" },
      { name: "mac", value: "ADDR", help: "its hardware address there" },
      { name: "alias", value: "NAME", repeat: true, help: "what the others there call it too" },
    ],
    examples: [{ words: "brig network connect --alias db back store", what: "a running sandbox into one more network" }],
    minOperands: 2,
    maxOperands: 2,
    run: (words) => connect(words),
  },
  {
    name: "network disconnect",
    usage: ["network disconnect NETWORK SANDBOX"],
    options: [{ name: "force", short: "f", help: "as without it", hidden: true }],
    examples: [{ words: "brig network disconnect back store", what: "and out of it again" }],
    minOperands: 2,
    maxOperands: 2,
    run: ({ operands: [network = "", sandbox = ""] }) => disconnectSandbox(findSandbox(sandbox), network),
  },
];

function readWish(words: ParsedWords): NetworkWish {
  const driver = words.value("driver");
  return {
    name: words.operands[0] ?? "", ...(driver === undefined ? {} : { driver }),
    subnets: words.values("subnet"), gateways: words.values("gateway"), ranges: words.values("ip-range"),
    ipv6: words.has("ipv6"), internal: words.has("internal"), isolated: words.has("isolated"),
    labels: readPairs(words.values("label")), options: readPairs(words.values("opt")),
  };
}

async function connect(words: ParsedWords): Promise<void> {
  const [name = "", reference = ""] = words.operands;
  const [ip, ip6, mac] = [words.value("ip"), words.value("ip6"), words.value("mac")];
  const sandbox = findSandbox(reference);
  const asked = { name, aliases: words.values("alias"), ...(ip === undefined ? {} : { ip }), ...(ip6 === undefined ? {} : { ip6 }), ...(mac === undefined ? {} : { mac }) };
  await connectSandbox(sandbox, asked, sandbox.record?.spec.hostname);
}

async function pruneNetworks(words: ParsedWords): Promise<number> {
  const { matchesPrune } = await import("./filter.js");
  const matches = matchesPrune(words.values("filter"));
  if (!words.has("force") && !(await askYes("WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue? [y/N] "))) return 0;
  sweepNetworks();
  const unused = listNetworks().filter((network) => matches(network) && listMembers(network).length === 0 && !(PREDEFINED as readonly string[]).includes(network.name));
  for (const network of unused) removeNetwork(network);
  if (unused.length > 0) print(`Deleted Networks:\n${unused.map(({ name }) => `${name}\n`).join("")}`);
  return 0;
}
