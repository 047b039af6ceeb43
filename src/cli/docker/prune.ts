import { openContainersFolder } from "../../container/folder.js";
import { removeContainer } from "../../container/life.js";
import { readState } from "../../container/status.js";
import { readContainers } from "../../container/store.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "docker prune",
  usage: ["docker container prune [-f]"],
  description: "Removes all containers that do not run.",
  options: [{ name: "force", short: "f", help: "Do not prompt for confirmation (brig never does)" }],
  maxOperands: 0,
  async run() {
    const folder = openContainersFolder();
    const ended = readContainers(folder).filter((container) => ["created", "exited"].includes(readState(folder, container).Status));
    for (const container of ended) await removeContainer(folder, container);
    if (ended.length > 0) print(`Deleted Containers:\n${ended.map(({ Id }) => `${Id}\n`).join("")}\n`);
  },
};
