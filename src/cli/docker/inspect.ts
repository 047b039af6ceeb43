import { openContainersFolder } from "../../container/folder.js";
import { findContainer } from "../../container/find.js";
import { describeContainer } from "../../container/describe.js";
import { readVolume } from "../../container/volumes.js";
import { BrigError } from "../../error/brig-error.js";
import type { CommandForm } from "../grammar.js";
import { print, printError } from "../output/print.js";

export const command: CommandForm = {
  name: "docker inspect",
  usage: ["docker inspect NAME|ID [NAME|ID...]"],
  options: [{ name: "type", value: "TYPE", help: "container or volume" }, { name: "size", short: "s", help: "Display total file sizes if the type is container" }],
  minOperands: 1,
  run(words) {
    const folder = openContainersFolder();
    const found: object[] = [];
    let status = 0;
    for (const reference of words.operands)
      try {
        found.push(findObject(folder, reference, words.value("type")));
      } catch (error) {
        if (!(error instanceof BrigError)) throw error;
        printError(`Error: ${error.message}`);
        status = 1;
      }
    print(`${JSON.stringify(found, null, 4)}\n`);
    return status;
  },
};

function findObject(folder: string, reference: string, type: string | undefined): object {
  if (type !== "container") {
    const volume = readVolume(reference);
    if (volume) return volume;
  }
  if (type === undefined || type === "container") return describeContainer(folder, findContainer(folder, reference));
  throw new BrigError(`No such ${type}: ${reference}`, { code: "BRIG_NO_SUCH_OBJECT", exitCode: 1 });
}
