import { BrigError } from "../../error/brig-error.js";
import { listSnapshots, removeSnapshot, takeSnapshot } from "../../rootfs/clone/snapshots.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { describeMethod } from "../output/clone-method.js";
import { print, printJson } from "../output/print.js";
import { renderTable } from "../output/table.js";

export const command: CommandForm = {
  name: "snapshot",
  usage: ["snapshot [--json] ROOT [NAME]", "snapshot --list [--json]", "snapshot --remove NAME…"],
  description:
    "Keeps a copy of a root in brig's data folder (/var/lib/brig/snapshots, or ~/.local/share/brig/snapshots). Blocks are shared where " +
    "the file system can. `brig diff NAME` says what changed since, `brig clone NAME DIR` makes a root of it again.",
  options: [
    { name: "list", short: "l", help: "list the snapshots that there are" },
    { name: "remove", help: "remove snapshots" },
    jsonOption,
  ],
  operands: "folder",
  examples: [
    { words: "brig snapshot my_deb before-upgrade", what: "keep my_deb as it is now" },
    { words: "brig diff before-upgrade", what: "what the upgrade changed" },
    { words: "brig snapshot --remove before-upgrade", what: "free its space" },
  ],
  async run(words) {
    if (words.has("list")) return showAll(words);
    const { operands } = words;
    if (words.has("remove") && operands.length > 0) return removeAll(operands);
    if (words.has("remove") || operands.length < 1 || operands.length > 2) throw new BrigError("brig snapshot: name a root", { code: "BRIG_BAD_USAGE", hint: "brig snapshot ROOT [NAME], --list, or --remove NAME…" });
    const snapshot = await takeSnapshot(operands[0]!, operands[1]);
    if (words.has("json")) printJson(snapshot);
    else print(`${snapshot.name}: a snapshot of ${operands[0]!}, ${describeMethod(snapshot.method)}`);
  },
};

function showAll(words: ParsedWords): void {
  const all = listSnapshots();
  if (words.has("json")) return printJson(all);
  print(renderTable(["NAME", "OF", "TAKEN", "HOW"], all.map(({ name, source, taken, method }) => [name, source, taken.slice(0, 19).replace("T", " "), method])));
}

async function removeAll(names: string[]): Promise<void> {
  for (const name of names) {
    await removeSnapshot(name);
    print(name);
  }
}
