import { eraseCredentials, keyOfRegistry } from "../../image/registry/credentials.js";
import type { CommandForm } from "../grammar.js";
import { readServer } from "../images/server.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "logout",
  usage: ["logout [SERVER]"],
  description: "Forgets the name and password for a registry.",
  options: [],
  maxOperands: 1,
  operands: "none",
  examples: [{ words: "brig logout localhost:5000", what: "what brig login kept" }],
  run({ operands }) {
    const server = readServer(operands[0]);
    print(eraseCredentials(server) ? `Removing login credentials for ${keyOfRegistry(server)}` : `Not logged in to ${keyOfRegistry(server)}`);
  },
};
