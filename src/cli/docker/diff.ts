import { listContainerChanges } from "../../container/files/diff.js";
import type { CommandForm } from "../grammar.js";
import { letters, showPath } from "../output/changes.js";
import { print } from "../output/print.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker diff",
  usage: ["docker diff CONTAINER"],
  description: "What a container has changed in its image's files: A added, C changed, D deleted.",
  options: [],
  minOperands: 1,
  maxOperands: 1,
  async run({ operands: [reference] }) {
    const { folder, container } = await takeContainer(reference!);
    print(listContainerChanges(folder, container).map(({ kind, path }) => `${letters[kind]} ${showPath(path)}\n`).join(""));
  },
};
