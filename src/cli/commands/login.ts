import type { CommandForm, ParsedWords } from "../grammar.js";
import { command as registryLogin } from "../images/login.js";
import { logIn } from "../machinectl/enter-verbs.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "login",
  usage: ["login MACHINE", "login [-u USER] [-p PASSWORD | --password-stdin] [REGISTRY]"],
  description:
    "A prompt for a name and a password, on a terminal of its own in a running machine. brig attach MACHINE sits down at its console.\n\n" +
    "A word with a dot or a colon, localhost, or none at all is a registry (Docker Hub): its name and password are tried, and kept where docker does, with its credential helper or in ~/.docker/config.json.",
  options: registryLogin.options,
  maxOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig login my_deb", what: "log in to the machine my_deb" }, ...registryLogin.examples!],
  run: (words) => (isForRegistry(words) ? registryLogin.run(words) : logInToMachine(words)),
};

function isForRegistry({ operands: [word], typed }: ParsedWords): boolean {
  return word === undefined || typed.length > 0 || word === "localhost" || /[.:]/.test(word);
}

function logInToMachine({ operands }: ParsedWords): ReturnType<CommandForm["run"]> {
  return runAsTool("login", "", operands, () => logIn(operands[0]!, { quiet: false }));
}
