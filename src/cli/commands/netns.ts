import { parseNetns } from "../../tools/netns/grammar.js";
import type { CommandForm } from "../grammar.js";
import { runNetns } from "../netns-words.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "netns",
  usage: ["netns { add | list | exec | delete | … } [NAME]", "netns connect NAME [--subnet A.B.C.D/N] [--uplink INTERFACE] [--no-nat]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig netns add netns1", what: "a network namespace with a name, for ip too" },
    { words: "brig netns connect netns1", what: "give it a way out, behind NAT" },
    { words: "brig netns exec netns1 ip address", what: "run something in it" },
  ],
  run: ({ operands }) => runAsTool("netns", "", operands, (run) => runNetns(run, parseNetns(operands))),
};
