import { unpauseSandbox } from "../../sandbox/pause.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "unpause",
  usage: ["unpause SANDBOX…"],
  description: "Lets paused sandboxes run on.",
  options: [],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig unpause build", what: "it goes on where it was" }],
  run: (words) => forEachSandbox(words, unpauseSandbox),
};
