import { openImageStore } from "../../image/store/open.js";
import { listImages } from "../../image/store/stored-image.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { filterImages, listRows, narrowNames } from "../images/rows.js";
import { printListing } from "../output/listing.js";
import { print, printError, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "images",
  usage: ["images [OPTIONS] [REPOSITORY[:TAG]]"],
  description: "Lists the images that are here, the newest first, a line for each name.",
  options: [
    { name: "all", short: "a", help: "those too that have no name" },
    { name: "quiet", short: "q", help: "only the ids" },
    { name: "digests", help: "the digests that registries know them by" },
    { name: "no-trunc", help: "whole ids" },
    { name: "filter", short: "f", value: "KEY=VALUE", repeat: true, help: "dangling=, label=, reference=, before=, since=, until=" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.Repository}}:{{.Tag}}'" },
    jsonOption,
  ],
  maxOperands: 1,
  operands: "none",
  examples: [
    { words: "brig images", what: "all of them" },
    { words: "brig images --format '{{.Repository}}:{{.Tag}}' 'localhost:5000/*'", what: "the names of those of one registry" },
    { words: "brig rmi $(brig images -qf dangling=true)", what: "those that lost their names" },
  ],
  run: list,
};

async function list(words: ParsedWords): Promise<void> {
  const store = await openImageStore();
  const [operand] = words.operands;
  const images = filterImages(await listImages(store, (digest, error) => printError(`brig: ${digest} is passed over: ${error.message}`)), words.values("filter"), operand);
  const references = words.values("filter").flatMap((text) => (text.startsWith("reference=") ? [text.slice("reference=".length)] : []));
  const shown = images.map((image) => narrowNames(narrowNames(image, operand === undefined ? [] : [operand]), references));
  const rows = listRows(store, shown, { digests: words.has("digests"), whole: words.has("no-trunc") });
  if (words.has("json")) return printJson(rows);
  if (words.has("quiet")) return print([...new Set(rows.map(({ ID }) => ID))].map((id) => `${id}\n`).join(""));
  const columns: [string, string][] = [["Repository", "REPOSITORY"], ["Tag", "TAG"], ...(words.has("digests") ? [["Digest", "DIGEST"] as [string, string]] : []), ["ID", "IMAGE ID"], ["CreatedSince", "CREATED"], ["Size", "SIZE"]];
  printListing({ format: words.value("format"), columns, rows: rows as never, headings: { CreatedAt: "CREATED AT", Digest: "DIGEST" } });
}
