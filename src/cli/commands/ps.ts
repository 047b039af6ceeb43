import { BrigError } from "../../error/brig-error.js";
import { listSandboxes } from "../../sandbox/list.js";
import { isLive, type Sandbox } from "../../sandbox/sandbox.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { showDuration } from "../output/human.js";
import { print, printJson } from "../output/print.js";
import { measureScreen } from "../output/screen.js";
import { renderTable } from "../output/table.js";
import { describeSandbox, describeStatus, showCommand } from "../show-sandbox.js";

export const command: CommandForm = {
  name: "ps",
  usage: ["ps [-a] [-q] [--json] [--filter KEY=VALUE]…"],
  description: "Lists your sandboxes, those that run unless --all is said. What a killed supervisor has left is cleaned up before.",
  options: [
    { name: "all", short: "a", help: "those too that have ended" },
    { name: "quiet", short: "q", help: "only the ids" },
    { name: "filter", short: "f", value: "KEY=VALUE", repeat: true, help: "id=, name= (a part of it), label=NAME[=VALUE], status= (running, paused, exited, dead, starting)" },
    { name: "no-trunc", help: "whole commands" },
    jsonOption,
  ],
  maxOperands: 0,
  examples: [
    { words: "brig ps", what: "what runs" },
    { words: "brig rm $(brig ps -aq --filter status=exited)", what: "remove the records of all that have ended" },
    { words: "brig ps -a --json | jq '.[] | {id, status}'", what: "for programs" },
  ],
  run(words) {
    const shown = selectSandboxes(words);
    if (words.has("json")) return printJson(shown.map(describeSandbox));
    if (words.has("quiet")) return print(shown.map(({ id }) => `${id}\n`).join(""));
    const room = words.has("no-trunc") ? Infinity : Math.max(20, measureScreen() - 70);
    print(renderTable(["ID", "NAME", "COMMAND", "AGE", "STATUS"], shown.map((sandbox) => toRow(sandbox, room))));
  },
};

function selectSandboxes(words: ParsedWords): Sandbox[] {
  const filters = words.values("filter").map(parseFilter);
  const byStatus = filters.some(({ key }) => key === "status");
  const shown = listSandboxes().filter((sandbox) => words.has("all") || byStatus || isLive(sandbox));
  // several of one kind: any of them; of several kinds: each
  const keys = [...new Set(filters.map(({ key }) => key))];
  return shown.filter((sandbox) => keys.every((key) => filters.some((filter) => filter.key === key && FILTERS[key]!(sandbox, filter.value))));
}

const FILTERS: Record<string, (sandbox: Sandbox, value: string) => boolean> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ name }, value) => name?.includes(value) ?? false,
  status: ({ state }, value) => state === value,
  label: (sandbox, value) => {
    const labels = describeSandbox(sandbox).labels;
    const split = value.indexOf("=");
    return split < 0 ? Object.hasOwn(labels, value) : Object.hasOwn(labels, value.slice(0, split)) && labels[value.slice(0, split)] === value.slice(split + 1);
  },
};

function parseFilter(text: string): { key: string; value: string } {
  const split = text.indexOf("=");
  const key = text.slice(0, Math.max(split, 0));
  if (Object.hasOwn(FILTERS, key)) return { key, value: text.slice(split + 1) };
  throw new BrigError(`--filter cannot be ${JSON.stringify(text)}`, { code: "BRIG_BAD_VALUE", hint: `KEY=VALUE with one of the keys ${Object.keys(FILTERS).join(", ")}` });
}

function toRow(sandbox: Sandbox, room: number): string[] {
  const whole = showCommand(sandbox);
  const shown = whole.length > room ? `${whole.slice(0, room - 1)}…` : whole;
  return [sandbox.id, sandbox.name ?? "-", shown, showDuration(Math.max(0, Date.now() - sandbox.createdMs)), describeStatus(sandbox)];
}
