import { waitForSandbox } from "../../sandbox/wait.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "wait",
  usage: ["wait SANDBOX…"],
  description: "Waits until each sandbox has ended and prints its exit code: the command's, or 128+N when signal N ended it.",
  options: [],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "test $(brig wait build) = 0 && echo good", what: "go on when it was good" }],
  run: (words) => forEachSandbox(words, waitForSandbox),
};
