import { killSandbox, parseSignal } from "../../sandbox/kill.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "kill",
  usage: ["kill [-s SIGNAL] [--all] SANDBOX…"],
  description: "Sends a signal to what was started in each sandbox. SIGKILL, the default, ends all that is in it.",
  options: [
    { name: "signal", short: "s", value: "SIGNAL", complete: ["TERM", "INT", "HUP", "KILL", "USR1", "USR2", "STOP", "CONT"], help: "TERM, SIGTERM or 15 (default KILL)" },
    { name: "all", short: "a", help: "to every process in the sandbox" },
  ],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig kill -s HUP web", what: "have it read its configuration again" }],
  run(words) {
    const signal = parseSignal(words.value("signal") ?? "KILL");
    return forEachSandbox(words, (sandbox) => killSandbox(sandbox, signal, words.has("all")));
  },
};
