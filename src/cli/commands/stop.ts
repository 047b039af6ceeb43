import { parseDuration } from "../../policy/parse/duration.js";
import { stopSandbox } from "../../sandbox/stop.js";
import { forEachSandbox } from "../each-sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "stop",
  usage: ["stop [-t TIME] SANDBOX…"],
  description: "Asks each sandbox to end with SIGTERM (or its own stop signal), and ends it with SIGKILL when it has not within the time.",
  options: [{ name: "time", short: "t", value: "TIME", help: "from the signal to SIGKILL, in seconds or such as 1m (default 10s; 0: SIGKILL at once)" }],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig stop -t 30 db web", what: "both at once, half a minute for each" }],
  run(words) {
    const timeoutMs = parseDuration(words.value("time") ?? "10s", "time", "s");
    return forEachSandbox(words, (sandbox) => stopSandbox(sandbox, timeoutMs));
  },
};
