import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { makeContainer, makeForm } from "./make.js";

export const command: CommandForm = {
  name: "docker create",
  usage: ["docker create [OPTIONS] IMAGE [COMMAND] [ARG...]"],
  ...makeForm,
  async run(words) {
    const { container } = await makeContainer(words);
    print(`${container.Id}\n`);
  },
};
