import { requireRunning } from "../../container/life.js";
import { handOverAttach } from "../../launch/hand-over-attach.js";
import type { CommandForm } from "../grammar.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker attach",
  usage: ["docker attach CONTAINER"],
  description: "Until it ends, or ^P ^Q is typed.",
  options: [],
  minOperands: 1,
  maxOperands: 1,
  async run({ operands: [reference] }) {
    const { container } = await takeContainer(reference!);
    return handOverAttach(`${requireRunning(container).folder}/attach`);
  },
};
