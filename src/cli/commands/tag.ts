import { tagImage } from "../../image/names.js";
import { parseReference } from "../../image/reference.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm } from "../grammar.js";

export const command: CommandForm = {
  name: "tag",
  usage: ["tag IMAGE NAME[:TAG]"],
  description: "Gives an image one more name. Who had it loses it.",
  options: [],
  minOperands: 2,
  maxOperands: 2,
  operands: "none",
  examples: [{ words: "brig tag debian:12 localhost:5000/debian:12", what: "to push it there" }],
  run: async ({ operands }) => tagImage(await openImageStore(), operands[0]!, parseReference(operands[1]!)),
};
