import { describeImage } from "../../image/describe.js";
import { findImage } from "../../image/store/find.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { print } from "../output/print.js";
import { compileTemplate } from "../output/template.js";
import { forEachWord } from "./each-image.js";

export const command: CommandForm = {
  name: "image inspect",
  usage: ["image inspect [-f FORMAT] IMAGE…"],
  description: "All that is known of images, as docker's JSON.",
  options: [{ name: "format", short: "f", value: "FORMAT", help: "a template as '{{.Config.Env}}', or json" }],
  minOperands: 1,
  operands: "none",
  run: inspect,
};

async function inspect(words: ParsedWords): Promise<number> {
  const store = await openImageStore();
  const format = words.value("format");
  const found: Record<string, unknown>[] = [];
  const status = await forEachWord(words.operands, async (word) => void found.push(describeImage(store, (await findImage(store, word)).image)));
  if (format === undefined) print(JSON.stringify(found, undefined, 4));
  else print(found.map((each) => `${format === "json" ? JSON.stringify(each) : compileTemplate(format)(each)}\n`).join(""));
  return status;
}
