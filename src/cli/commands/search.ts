import { imageError } from "../../image/image-error.js";
import { searchRegistry } from "../../image/registry/search.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";
import { readServer } from "../images/server.js";
import { printListing } from "../output/listing.js";
import { printJson } from "../output/print.js";

const DESCRIPTION_WIDTH = 45;

export const command: CommandForm = {
  name: "search",
  usage: ["search [OPTIONS] [REGISTRY/]TERM"],
  description: "Looks for repositories of a registry, Docker Hub's without another.",
  options: [
    { name: "limit", value: "NUMBER", help: "results at most; 25 without it" },
    { name: "filter", short: "f", value: "KEY=VALUE", repeat: true, help: "stars=NUMBER, is-official=true" },
    { name: "no-trunc", help: "whole descriptions" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.Name}}'" },
    jsonOption,
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "none",
  examples: [{ words: "brig search localhost:5000/deb", what: "in a registry here" }],
  run: (words) => endQuietly((signal) => search(words, signal)),
};

async function search(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const [word = ""] = words.operands;
  const slash = word.indexOf("/");
  const first = word.slice(0, Math.max(0, slash));
  const named = /[.:]/.test(first) || first === "localhost";
  const limit = Number(words.value("limit") ?? 25);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw imageError("BRIG_BAD_VALUE", "limit should be between 1 and 100");
  const wanted = words.values("filter").map(readFilter);
  const found = await searchRegistry(named ? readServer(first) : "docker.io", named ? word.slice(slash + 1) : word, limit, { signal });
  const rows = found.filter((each) => wanted.every((filter) => filter(each))).map(({ name, description, stars, official }) => ({
    Name: name,
    Description: words.has("no-trunc") || description.length <= DESCRIPTION_WIDTH ? description : `${description.slice(0, DESCRIPTION_WIDTH - 1)}…`,
    StarCount: String(stars),
    IsOfficial: official ? "[OK]" : "",
  }));
  if (words.has("json")) return printJson(rows);
  printListing({ format: words.value("format"), columns: [["Name", "NAME"], ["Description", "DESCRIPTION"], ["StarCount", "STARS"], ["IsOfficial", "OFFICIAL"]], rows });
}

function readFilter(text: string): (result: { stars: number; official: boolean }) => boolean {
  const [, key, value = ""] = /^([a-z-]+)=(.*)$/.exec(text) ?? [];
  if (key === "stars" && /^\d+$/.test(value)) return ({ stars }) => stars >= Number(value);
  if (key === "is-official" && /^(true|false)$/.test(value)) return ({ official }) => String(official) === value;
  throw imageError("BRIG_BAD_VALUE", `invalid filter '${text}'`, "stars=NUMBER or is-official=true");
}
