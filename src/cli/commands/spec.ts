import { readHostFacts } from "../../host/facts.js";
import { readAskedSandbox, sandboxOptions } from "../asked-sandbox.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "spec",
  usage: ["spec [OPTIONS] [--] COMMAND [ARGUMENT…]"],
  description: "What OCI lacks stands in annotations under dev.brig. — origins of the settings, Landlock, the init.",
  options: [...sandboxOptions, { ...jsonOption, group: "Output", help: "errors as JSON too" }],
  stopAtOperand: true,
  operands: "command",
  examples: [{ words: "brig spec --write . -- make > config.json", what: "the sandbox of brig run --write . -- make as a document" }],
  async run(words) {
    printJson((await readAskedSandbox(words, readHostFacts())).spec);
  },
};
