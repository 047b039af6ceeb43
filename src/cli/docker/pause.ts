import { pauseContainer } from "../../container/life.js";
import type { CommandForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker pause",
  usage: ["docker pause CONTAINER [CONTAINER...]"],
  options: [],
  minOperands: 1,
  run: (words) => forEachContainer(words, (_folder, container) => pauseContainer(container)),
};
