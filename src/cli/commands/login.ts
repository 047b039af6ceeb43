import type { CommandForm } from "../grammar.js";
import { logIn } from "../machinectl/enter-verbs.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "login",
  usage: ["login MACHINE"],
  description: "A prompt for a name and a password, on a terminal of its own in a running machine. brig attach MACHINE sits down at its console.",
  options: [],
  minOperands: 1,
  maxOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig login my_deb", what: "log in to the machine my_deb" }],
  run: ({ operands }) => runAsTool("login", "", operands, () => logIn(operands[0]!, { quiet: false })),
};
