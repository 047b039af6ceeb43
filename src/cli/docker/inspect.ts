import { describeContainer } from "../../container/describe.js";
import { findContainer } from "../../container/find.js";
import { openContainersFolder } from "../../container/folder.js";
import { readVolume } from "../../container/volumes.js";
import { BrigError } from "../../error/brig-error.js";
import { describeImage } from "../../image/describe.js";
import { findImage } from "../../image/store/find.js";
import { openImageStore } from "../../image/store/open.js";
import { findNetwork } from "../../network/named/store.js";
import type { CommandForm } from "../grammar.js";
import { describeNetwork } from "../network/inspect.js";
import { print, printError } from "../output/print.js";
import { compileTemplate, type Fields } from "../output/template.js";

export const command: CommandForm = {
  name: "docker inspect",
  usage: ["docker inspect [-f FORMAT] [--type TYPE] NAME|ID [NAME|ID...]"],
  options: [
    { name: "format", short: "f", value: "FORMAT", help: "a template as '{{.State.Status}}', or json" },
    { name: "type", value: "TYPE", help: "container, image, network or volume" },
  ],
  minOperands: 1,
  async run(words) {
    const [format, type] = [words.value("format"), words.value("type")];
    const found: Fields[] = [];
    let status = 0;
    for (const reference of words.operands)
      try {
        found.push((await findObject(reference, type)) as Fields);
      } catch (error) {
        if (!(error instanceof BrigError)) throw error;
        printError(`Error: ${error.message}`);
        status = 1;
      }
    if (format === undefined) print(`${JSON.stringify(found, null, 4)}\n`);
    else print(found.map((each) => `${format === "json" ? JSON.stringify(each) : compileTemplate(format)(each)}\n`).join(""));
    return status;
  },
};

const KINDS: Record<string, (reference: string) => Promise<object> | object> = {
  container: (reference) => describeContainer(openContainersFolder(), findContainer(openContainersFolder(), reference)),
  async image(reference) {
    const store = await openImageStore();
    return describeImage(store, (await findImage(store, reference)).image) as object;
  },
  network: (reference) => describeNetwork(findNetwork(reference)) as object,
  volume(reference) {
    const volume = readVolume(reference);
    if (volume) return volume;
    throw new BrigError(`get ${reference}: no such volume`, { code: "BRIG_NO_SUCH_VOLUME", exitCode: 1 });
  },
};

/** The first kind of thing that has such a name, in docker's order. */
async function findObject(reference: string, type: string | undefined): Promise<object> {
  if (type !== undefined) {
    if (Object.hasOwn(KINDS, type)) return await KINDS[type]!(reference);
    throw new BrigError(`"${type}" is not a valid value for --type`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: Object.keys(KINDS).join(", ") });
  }
  for (const find of Object.values(KINDS))
    try {
      return await find(reference);
    } catch (error) {
      if (!(error instanceof BrigError) || error.code === "BRIG_AMBIGUOUS") throw error;
    }
  throw new BrigError(`No such object: ${reference}`, { code: "BRIG_NO_SUCH_OBJECT", exitCode: 1 });
}
