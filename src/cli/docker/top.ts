import { spawnSync } from "node:child_process";
import { requireRunning } from "../../container/life.js";
import { BrigError } from "../../error/brig-error.js";
import { listMembers } from "../../sandbox/members.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker top",
  usage: ["docker top CONTAINER [ps OPTIONS]"],
  description: "The container's processes with the pids that the host knows them by.",
  options: [],
  stopAtOperand: true,
  minOperands: 1,
  async run({ operands: [reference, ...words] }) {
    const { container } = await takeContainer(reference!);
    const pids = listMembers(requireRunning(container)).map(({ pid }) => pid);
    const { status, stdout, stderr, error } = spawnSync("ps", [...(words.length > 0 ? words : ["-f"]), "-p", pids.join(",")], { encoding: "utf8" });
    if (error) throw new BrigError(`ps cannot be run: ${error.message}`, { code: "BRIG_NO_TOOL", exitCode: 1, hint: "apt-get install procps" });
    if (status !== 0 && stdout === "") throw new BrigError(stderr.trim(), { code: "BRIG_BAD_USAGE", exitCode: 1 });
    print(stdout);
  },
};
