import { waitForContainer } from "../../container/life.js";
import type { CommandForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker wait",
  usage: ["docker wait CONTAINER [CONTAINER...]"],
  options: [],
  minOperands: 1,
  run: (words) => forEachContainer(words, async (folder, container) => String(await waitForContainer(folder, container))),
};
