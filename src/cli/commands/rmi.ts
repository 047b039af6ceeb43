import { removeImage } from "../../image/remove.js";
import { openImageStore } from "../../image/store/open.js";
import { isRunningContainer, sweepUsers } from "../images/running.js";
import { forEachWord } from "../images/each-image.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "rmi",
  usage: ["rmi [-f] IMAGE…"],
  description: "Takes names from images; what has no name left is removed, with the layers that no other image has.",
  options: [
    { name: "force", short: "f", help: "though it has other names, or a container that has ended was made of it" },
    { name: "no-prune", help: "taken for docker's sake: parents are no images here", hidden: true },
  ],
  minOperands: 1,
  operands: "none",
  examples: [{ words: "brig rmi debian:12", what: "the name, and the image when it has no other" }],
  async run(words) {
    await sweepUsers();
    const store = await openImageStore();
    return await forEachWord(words.operands, async (word) => {
      const { untagged, deleted } = await removeImage(store, word, { force: words.has("force"), isRunning: isRunningContainer });
      print([...untagged.map((name) => `Untagged: ${name}\n`), ...deleted.map((id) => `Deleted: ${id}\n`)].join(""));
    });
  },
};
