import { removeContainer } from "../../container/life.js";
import type { CommandForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker rm",
  usage: ["docker rm [-f] [-v] CONTAINER [CONTAINER...]"],
  options: [{ name: "force", short: "f", help: "Force the removal of a running container (uses SIGKILL)" }, { name: "volumes", short: "v", help: "Remove anonymous volumes associated with the container" }],
  minOperands: 1,
  run: (words) => forEachContainer(words, (folder, container) => removeContainer(folder, container, { force: words.has("force"), volumes: words.has("volumes") })),
};
