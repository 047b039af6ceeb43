import { removeSandbox } from "../../sandbox/remove.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "rm",
  usage: ["rm [-f] SANDBOX…"],
  description: "Removes the record, the log and the name of sandboxes that have ended.",
  options: [{ name: "force", short: "f", help: "kill those that still run" }],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig rm -f build", what: "whatever it does" }],
  run: (words) => forEachSandbox(words, (sandbox) => removeSandbox(sandbox, words.has("force"))),
};
