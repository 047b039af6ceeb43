import { resolve } from "node:path";
import { readText } from "../../host/read-text.js";
import type { NetworkRules } from "../../spec/extension.js";
import type { Draft } from "./draft.js";
import { refuseRule } from "./paths.js";
import { expandMacros } from "./macros.js";
import { findLast, type Rule } from "./rule.js";

/** firejail(1), --netfilter: what comes back is let in, ping's answers too, and nothing else. */
const CLIENT = `table ip firejail {
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    icmp type { destination-unreachable, time-exceeded, echo-request } accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`;

/** As many $ARG as a template may have (firejail(1)). */
const MAX_ARGUMENTS = 16;

/** netfilter and netfilter6, for a network of the sandbox's own. */
export function readFirewalls(draft: Draft): NetworkRules[] {
  const four = findLast(draft.rules, "netfilter");
  const six = findLast(draft.rules, "netfilter6");
  const chosen = four?.value || draft.context.config.get("netfilter-default");
  return [
    ...(four ? [chosen ? { language: "iptables" as const, text: readTemplate(draft, four, chosen) } : { language: "nft" as const, text: CLIENT }] : []),
    ...(six ? [{ language: "ip6tables" as const, text: readTemplate(draft, six, six.value) }] : []),
  ];
}

/** FILE,ARG1,ARG2: the file as iptables-save(8) writes it, with what stands for $ARG1 and so on. */
function readTemplate(draft: Draft, rule: Rule, value: string): string {
  const [file = "", ...given] = value.split(",");
  const [path = file] = expandMacros(file, draft.context.places);
  const text = readText(resolve(draft.context.cwd, path));
  if (text === undefined) throw refuseRule(rule, "BRIG_BAD_VALUE", `cannot read the firewall ${path}`, "examples are in /etc/firejail: webserver.net, nolocal.net, tcpserver.net");
  if (given.length > MAX_ARGUMENTS || given.some((each) => !/^[\w.:/!-]+$/.test(each))) throw refuseRule(rule, "BRIG_BAD_VALUE", `the arguments of ${file} are no words of a firewall`, "up to 16 addresses and ports, as in tcpserver.net,5001");
  return text.replace(/\$ARG(\d{1,2})/g, (name, number: string) => {
    const found = given[Number(number) - 1];
    if (found === undefined) throw refuseRule(rule, "BRIG_BAD_VALUE", `${file} wants an argument for ${name}`, `--${rule.name}=${file},ARGUMENT`);
    return found;
  });
}
