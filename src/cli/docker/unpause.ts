import { unpauseContainer } from "../../container/life.js";
import type { CommandForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker unpause",
  usage: ["docker unpause CONTAINER [CONTAINER...]"],
  options: [],
  minOperands: 1,
  run: (words) => forEachContainer(words, (_folder, container) => unpauseContainer(container)),
};
