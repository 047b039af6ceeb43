import { existsSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { handOverAttach } from "../../launch/hand-over-attach.js";
import { findSandbox } from "../../sandbox/find.js";
import { isLive } from "../../sandbox/sandbox.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "attach",
  usage: ["attach SANDBOX"],
  description:
    "Shows a detached sandbox's output from now on, and passes on what is typed, until it ends or ^P ^Q is typed. " +
    "The exit status is the sandbox's, 0 when you detach.",
  options: [],
  minOperands: 1,
  maxOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig attach build", what: "^P ^Q leaves it running" }],
  run(words) {
    const sandbox = findSandbox(words.operands[0]!);
    const socket = `${sandbox.folder}/attach`;
    if (!isLive(sandbox)) throw new BrigError(`sandbox ${sandbox.id} is not running`, { code: "BRIG_NOT_RUNNING", hint: `brig logs ${sandbox.id} shows what it said` });
    if (!existsSync(socket)) throw new BrigError(`sandbox ${sandbox.id} has no monitor to attach to`, { code: "BRIG_NOT_ATTACHABLE", hint: `brig exec ${sandbox.id} sh; start it with --detach to attach to it` });
    return handOverAttach(socket);
  },
};
