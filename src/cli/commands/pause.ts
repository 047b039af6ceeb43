import { pauseSandbox } from "../../sandbox/pause.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "pause",
  usage: ["pause SANDBOX…"],
  description: "Stops every process of each sandbox where it is, until brig unpause: frozen by a cgroup, or with SIGSTOP where you have no rights over cgroups.",
  options: [],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig pause build", what: "it takes no processor time until it is let go" }],
  run: (words) => forEachSandbox(words, pauseSandbox),
};
