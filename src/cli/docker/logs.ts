import { findContainerSandbox, sandboxIdOf } from "../../container/status.js";
import { findRunFolder } from "../../launch/run-folder.js";
import type { CommandForm } from "../grammar.js";
import { command as logs, showLogs } from "../commands/logs.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker logs",
  usage: ["docker logs [-f] [-n LINES] [--since TIME] [--until TIME] [-t] CONTAINER"],
  options: logs.options.filter(({ name }) => name !== "json"),
  minOperands: 1,
  maxOperands: 1,
  async run(words) {
    const { folder, container } = await takeContainer(words.operands[0]!);
    const runFolder = findRunFolder(process.geteuid?.() ?? -1);
    const { supervisor } = findContainerSandbox(container) ?? {};
    await showLogs({ folder: `${folder}/${container.Id}`, runFolder, id: sandboxIdOf(container), supervisor }, words);
  },
};
