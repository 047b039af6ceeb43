import type { CommandForm } from "../grammar.js";
import { enterShell } from "../machinectl/enter-verbs.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "shell",
  usage: ["shell MACHINE [USER] [/PATH [ARGUMENT…]]"],
  description: "A shell in a running machine, or one command by its path, as root or another of its users, without a password. The exit status is the command's.",
  options: [{ name: "env", short: "e", value: "NAME[=VALUE]", repeat: true, help: "set a variable, or take the caller's" }],
  stopAtOperand: true,
  minOperands: 1,
  operands: "sandbox",
  examples: [
    { words: "brig shell my_deb", what: "a root shell" },
    { words: "brig shell my_deb bob /usr/bin/id", what: "a command as the machine's user bob" },
  ],
  run: (words) => {
    const [machine, ...rest] = words.operands as [string, ...string[]];
    const user = rest[0] !== undefined && !rest[0].startsWith("/") ? rest.shift() : undefined;
    return runAsTool("shell", "", words.operands, () => enterShell(machine, rest, { quiet: false, uid: user, environment: words.values("env") }));
  },
};
