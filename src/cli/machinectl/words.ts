import { machinectlHelp } from "../../tools/machinectl/help.js";
import type { MachinectlRequest } from "../../tools/machinectl/grammar.js";
import type { MachinectlOptions } from "../../tools/machinectl/options.js";
import type { Verb } from "../../tools/machinectl/verbs.js";
import { print } from "../output/print.js";
import { version } from "../version.js";

/** A verb with what stood around it. */
export interface AskedVerb {
  verb: Verb;
  operands: string[];
  options: MachinectlOptions;
}

/** Does what `brig machinectl …` was asked for and returns the exit status. */
export async function runMachinectl(request: MachinectlRequest): Promise<number> {
  switch (request.kind) {
    case "help": return print(machinectlHelp), 0;
    case "version": return print(`machinectl of brig ${version}, with the words of systemd 252`), 0;
    case "words": return print(request.text), 0;
    case "verb": return await runVerb(request);
  }
}

/** Rooms that are not used are not loaded. */
async function runVerb(asked: AskedVerb): Promise<number> {
  switch (asked.verb) {
    case "list-images": case "image-status": case "show-image": case "clone": case "rename": case "read-only": case "remove": case "set-limit": case "clean":
      return await (await import("./image-verbs.js")).runImageVerb(asked);
    case "pull-tar": case "pull-raw": case "import-tar": case "import-raw": case "import-fs": case "export-tar": case "export-raw": case "list-transfers": case "cancel-transfer":
      return await (await import("./transfer-verbs.js")).runTransferVerb(asked);
    case "list": case "status": case "show": case "poweroff": case "stop": case "reboot": case "terminate": case "kill":
      return await (await import("./machine-verbs.js")).runMachineVerb(asked);
    case "login": case "shell": case "copy-to": case "copy-from": case "bind":
      return await (await import("./enter-verbs.js")).runEnterVerb(asked);
    case "start": case "enable": case "disable": return await (await import("./start-verbs.js")).runStartVerb(asked);
    case "help": return print(machinectlHelp), 0;
  }
}
