import { isatty } from "node:tty";
import { setTimeout as sleep } from "node:timers/promises";
import { findContainer } from "../../container/find.js";
import { openContainersFolder } from "../../container/folder.js";
import type { Container } from "../../container/model.js";
import { findContainerSandbox } from "../../container/status.js";
import { readContainers } from "../../container/store.js";
import { isLive } from "../../sandbox/sandbox.js";
import { readStats, type Stats } from "../../sandbox/stats.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { showDockerSize } from "../output/docker-words.js";
import { showSize } from "../output/human.js";
import { printListing } from "../output/listing.js";
import { print } from "../output/print.js";
import type { Fields } from "../output/template.js";

const INTERVAL_MS = 1000;
const FIRST_MS = 200;
const COLUMNS: [string, string][] = [["ID", "CONTAINER ID"], ["Name", "NAME"], ["CPUPerc", "CPU %"], ["MemUsage", "MEM USAGE / LIMIT"], ["MemPerc", "MEM %"], ["NetIO", "NET I/O"], ["BlockIO", "BLOCK I/O"], ["PIDs", "PIDS"]];

export const command: CommandForm = {
  name: "docker stats",
  usage: ["docker stats [--no-stream] [--format FORMAT] [CONTAINER...]"],
  description: "What containers use, every second: those that are named, or all that run.",
  options: [
    { name: "no-stream", help: "Disable streaming stats and only pull the first result" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.MemUsage}}'" },
  ],
  async run(words) {
    const folder = openContainersFolder();
    const named = words.operands.map((reference) => findContainer(folder, reference));
    const choose = (): Container[] => (named.length > 0 ? named : readContainers(folder));
    let before = sample(choose());
    for (let wait = FIRST_MS; ; wait = INTERVAL_MS) {
      const from = Date.now();
      await sleep(wait);
      const now = sample(choose());
      show(words, now, before, Date.now() - from);
      if (words.has("no-stream") || (named.length > 0 && now.size === 0)) return;
      before = now;
    }
  },
};

function sample(containers: Container[]): Map<Container["Id"], { container: Container; stats: Stats }> {
  return new Map(containers.flatMap((container) => {
    const sandbox = findContainerSandbox(container);
    return sandbox && isLive(sandbox) ? [[container.Id, { container, stats: readStats(sandbox) }] as const] : [];
  }));
}

function show(words: ParsedWords, now: ReturnType<typeof sample>, before: ReturnType<typeof sample>, elapsedMs: number): void {
  if (isatty(1) && !words.has("no-stream")) print("\u001b[H\u001b[J");
  const rows = [...now.values()].map(({ container, stats }) => toFields(container, stats, stats.cpuUs - (before.get(container.Id)?.stats.cpuUs ?? stats.cpuUs), elapsedMs));
  printListing({ format: words.value("format"), columns: COLUMNS, rows });
}

function toFields({ Id, Name }: Container, stats: Stats, usedUs: number, elapsedMs: number): Fields {
  const { memory, memoryLimit, pids, receivedBytes, sentBytes, readBytes, writtenBytes } = stats;
  const binary = (bytes: number): string => showSize(bytes).replace(" ", "");
  const pair = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined ? "--" : `${showDockerSize(a)} / ${showDockerSize(b)}`);
  return {
    Container: Id.slice(0, 12), ID: Id.slice(0, 12), Name, CPUPerc: `${(Math.max(0, usedUs) / elapsedMs / 10).toFixed(2)}%`, MemUsage: `${binary(memory)} / ${binary(memoryLimit)}`,
    MemPerc: `${((memory / memoryLimit) * 100).toFixed(2)}%`, NetIO: pair(receivedBytes, sentBytes), BlockIO: pair(readBytes, writtenBytes), PIDs: pids,
  };
}
