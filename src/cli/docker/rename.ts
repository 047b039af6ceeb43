import { renameContainer } from "../../container/rename.js";
import type { CommandForm } from "../grammar.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker rename",
  usage: ["docker rename CONTAINER NEW_NAME"],
  options: [],
  minOperands: 2,
  maxOperands: 2,
  async run({ operands: [reference, name] }) {
    const { folder, container } = await takeContainer(reference!);
    renameContainer(folder, container, name!);
  },
};
