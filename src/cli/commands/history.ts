import { type HistoryLine, listHistory } from "../../image/describe.js";
import { shortId } from "../../image/progress.js";
import { findImage } from "../../image/store/find.js";
import { openImageStore } from "../../image/store/open.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { showDockerAge, showDockerSize } from "../output/docker-words.js";
import { printListing } from "../output/listing.js";
import { print, printJson } from "../output/print.js";

const COMMAND_WIDTH = 45;

export const command: CommandForm = {
  name: "history",
  usage: ["history [OPTIONS] IMAGE"],
  description: "The steps that an image was made in, the last one first.",
  options: [
    { name: "quiet", short: "q", help: "only ids" },
    { name: "no-trunc", help: "whole ids and commands" },
    { name: "human", short: "H", negatable: true, help: "sizes and dates for people; the default" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.ID}}: {{.CreatedBy}}'" },
    jsonOption,
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "none",
  examples: [{ words: "brig history --no-trunc debian:12", what: "with whole commands" }],
  run: show,
};

async function show(words: ParsedWords): Promise<void> {
  const store = await openImageStore();
  const { image } = await findImage(store, words.operands[0]!);
  const human = words.typed.findLast(({ name }) => name === "human")?.on ?? true;
  const rows = listHistory(store, image).map((line) => toRow(line, human, words.has("no-trunc")));
  if (words.has("json")) return printJson(rows);
  if (words.has("quiet")) return print(rows.map(({ ID }) => `${ID}\n`).join(""));
  const columns: [string, string][] = [["ID", "IMAGE"], [human ? "CreatedSince" : "CreatedAt", human ? "CREATED" : "CREATED AT"], ["CreatedBy", "CREATED BY"], ["Size", "SIZE"], ["Comment", "COMMENT"]];
  printListing({ format: words.value("format"), columns, rows: rows as never });
}

function toRow({ id, createdMs, createdBy, size, comment }: HistoryLine, human: boolean, whole: boolean): Record<string, string> {
  const command = createdBy.replaceAll("\t", " ");
  return {
    ID: id === undefined ? "<missing>" : whole ? id : shortId(id),
    CreatedSince: showDockerAge(createdMs || Number.NaN),
    CreatedAt: `${new Date(createdMs).toISOString().slice(0, 19)}Z`,
    CreatedBy: whole || command.length <= COMMAND_WIDTH ? command : `${command.slice(0, COMMAND_WIDTH - 1)}…`,
    Size: human ? showDockerSize(size) : String(size),
    Comment: comment,
  };
}
