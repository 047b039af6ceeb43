import { isatty } from "node:tty";
import { setTimeout as sleep } from "node:timers/promises";
import { findSandbox } from "../../sandbox/find.js";
import { listSandboxes } from "../../sandbox/list.js";
import { isLive, readSandbox, type Sandbox } from "../../sandbox/sandbox.js";
import { readStats, type Stats } from "../../sandbox/stats.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { showSize } from "../output/human.js";
import { print, printJson } from "../output/print.js";
import { renderTable } from "../output/table.js";

const INTERVAL_MS = 1000;
const FIRST_MS = 200;

/** Stats with what they were compared with: percent of one processor over the time between. */
type Sample = Stats & { cpuPercent: number };

export const command: CommandForm = {
  name: "stats",
  usage: ["stats [--no-stream] [--json] [SANDBOX…]"],
  description:
    "Shows what sandboxes use, every second: processor (100% is one), memory without what is only cached, network, disk, processes and threads. " +
    "It is counted by their cgroups, and without those summed over their processes.",
  options: [{ name: "no-stream", help: "once" }, jsonOption],
  operands: "sandbox",
  examples: [
    { words: "brig stats", what: "all that run" },
    { words: "brig stats --no-stream --json build | jq '.[0].memory'", what: "one number" },
  ],
  async run(words) {
    const chosen = chooseSandboxes(words);
    let before = sample(chosen);
    for (let once = words.has("no-stream"), first = true; ; first = false) {
      const from = Date.now();
      await sleep(once || first ? FIRST_MS : INTERVAL_MS);
      const now = sample(words.operands.length > 0 ? chosen : chooseSandboxes(words));
      show(words, compare(before, now, Date.now() - from));
      if (once || (words.operands.length > 0 && now.size === 0)) return;
      before = now;
    }
  },
};

function chooseSandboxes(words: ParsedWords): Sandbox[] {
  const all = listSandboxes();
  return words.operands.length > 0 ? words.operands.map((reference) => findSandbox(reference, all)) : all.filter(isLive);
}

function sample(sandboxes: Sandbox[]): Map<string, Stats> {
  const live = sandboxes.flatMap(({ runFolder, id }) => readSandbox(runFolder, id) ?? []).filter(isLive);
  return new Map(live.map((sandbox) => [sandbox.id, readStats(sandbox)]));
}

function compare(before: Map<string, Stats>, now: Map<string, Stats>, elapsedMs: number): Sample[] {
  return [...now.values()].map((stats) => {
    const used = Math.max(0, stats.cpuUs - (before.get(stats.id)?.cpuUs ?? stats.cpuUs));
    return { ...stats, cpuPercent: Math.round((used / elapsedMs) * 10) / 100 };
  });
}

function show(words: ParsedWords, samples: Sample[]): void {
  if (words.has("json")) return words.has("no-stream") ? printJson(samples) : print(JSON.stringify(samples));
  const clear = isatty(1) && !words.has("no-stream") ? "\u001b[H\u001b[J" : "";
  print(clear + renderTable(["ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"], samples.map(toRow)));
}

function toRow(stats: Sample): (string | number)[] {
  const pair = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined ? "-" : `${showSize(a)} / ${showSize(b)}`);
  const { id, name, cpuPercent, memory, memoryLimit, pids } = stats;
  const share = `${((memory / memoryLimit) * 100).toFixed(2)}%`;
  return [id, name ?? "-", `${cpuPercent.toFixed(2)}%`, pair(memory, memoryLimit), share, pair(stats.receivedBytes, stats.sentBytes), pair(stats.readBytes, stats.writtenBytes), pids];
}
