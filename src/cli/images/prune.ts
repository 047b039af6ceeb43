import { pruneImages } from "../../image/prune.js";
import { openImageStore } from "../../image/store/open.js";
import { createInterface } from "node:readline/promises";
import { isatty } from "node:tty";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { showDockerSize } from "../output/docker-words.js";
import { print } from "../output/print.js";
import { sweepUsers } from "./running.js";
import { filterImages } from "./rows.js";

export const command: CommandForm = {
  name: "image prune",
  usage: ["image prune [-a] [-f] [--filter KEY=VALUE]…"],
  description: "Removes images that have no name, and what interrupted commands have left.",
  options: [
    { name: "all", short: "a", help: "all that no container uses" },
    { name: "force", short: "f", help: "without a question" },
    { name: "filter", value: "KEY=VALUE", repeat: true, help: "until=24h, label=NAME[=VALUE]" },
  ],
  maxOperands: 0,
  run: prune,
};

async function prune(words: ParsedWords): Promise<void> {
  const what = words.has("all") ? "all images without at least one container associated to them" : "all dangling images";
  if (!words.has("force") && !(await confirm(`WARNING! This will remove ${what}.\nAre you sure you want to continue? [y/N] `))) return;
  await sweepUsers();
  const store = await openImageStore();
  const filters = words.values("filter");
  const { untagged, deleted, bytes } = await pruneImages(store, words.has("all"), (image) => filterImages([image], filters).length > 0);
  const lines = [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((id) => `deleted: ${id}`)];
  print(`${lines.length > 0 ? `Deleted Images:\n${lines.join("\n")}\n\n` : ""}Total reclaimed space: ${showDockerSize(bytes)}`);
}

/** Nobody there to ask means no. */
async function confirm(question: string): Promise<boolean> {
  if (!isatty(0)) return print(question), false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(question);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
