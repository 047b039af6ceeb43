import { resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { listShims, makeShims, removeShims } from "../../tools/shims/shims.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { print, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "shims",
  usage: ["shims DIR", "shims --list DIR", "shims --remove DIR"],
  description:
    "Makes small scripts in DIR under the names of the tools whose words brig understands, so that with DIR first in PATH the same command lines run through brig. " +
    "A file that brig did not make is never touched.",
  options: [
    { name: "list", help: "tell what stands in DIR under those names" },
    { name: "remove", help: "take away the scripts that brig made" },
    jsonOption,
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "folder",
  examples: [
    { words: 'mkdir -p ~/.local/brig && brig shims ~/.local/brig && PATH=~/.local/brig:$PATH', what: "unshare, chroot and the others through brig" },
    { words: "brig shims --remove ~/.local/brig", what: "undo that" },
  ],
  async run(words) {
    const folder = resolve(words.operands[0]!);
    if (words.has("list") && words.has("remove")) throw new BrigError("--list and --remove exclude each other", { code: "BRIG_BAD_OPTION" });
    // Late, for that list imports this file.
    const known = Object.keys((await import("./index.js")).commands);
    if (words.has("remove")) return tell(words.has("json"), removeShims(folder), (name) => `removed ${name}`);
    const shims = words.has("list") ? listShims(folder, known) : makeShims(folder, known, findLauncher());
    return tell(words.has("json"), shims, ({ name, runs, state }) => `${name}: ${state === "made" ? `runs ${runs}` : state === "foreign" ? "not brig's" : "missing"}`);
  },
};

function tell<T>(json: boolean, items: T[], line: (item: T) => string): number {
  if (json) printJson(items);
  else if (items.length > 0) print(items.map(line).join("\n"));
  return 0;
}
