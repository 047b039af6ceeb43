import type { Contestant, ContestantName } from "./contestants.js";
import type { Times } from "./race.js";
import { memoryBar, type Row } from "./rows.js";
import { compareRounds, type Ratio } from "./statistics.js";

/** One line of the table and of the picture. */
export interface ResultRow {
  name: string;
  /** What is held against the bar: the median ratio, or megabytes. */
  value?: number;
  unit: "times" | "MB";
  bar?: number;
  met?: boolean;
  ratio?: Ratio;
  /** Why there is no value. */
  missing?: string;
}

export interface Result {
  /** ISO 8601. */
  when: string;
  kernel: string;
  node: string;
  /** Whether it was measured as root: root's sandboxes also get a range of ids and idmapped binds. */
  root: boolean;
  rounds: number;
  runs: number;
  /** The load average of a minute when it began and when it ended: above the number of processors the ratios are noise. */
  load: [number, number];
  rows: ResultRow[];
}

/** A row's result, or why there is none. */
export function compareRow(row: Row, contestants: ReadonlyMap<ContestantName, Contestant>, times: Times): ResultRow {
  const shared = { name: row.name, unit: "times" as const, ...(row.bar === undefined ? {} : { bar: row.bar }) };
  const missing = [row.ours, row.theirs].map((name) => contestants.get(name)?.words).find((words) => words && !Array.isArray(words));
  if (missing && !Array.isArray(missing)) return { ...shared, missing: missing.missing };
  const ratio = compareRounds(times.get(row.ours) ?? [], times.get(row.theirs) ?? []);
  return { ...shared, value: ratio.median, ratio, ...(row.bar === undefined ? {} : { met: ratio.median <= row.bar }) };
}

export function compareMemory(megabytes: number): ResultRow {
  return { ...memoryBar, unit: "MB", value: megabytes, met: megabytes <= memoryBar.bar };
}
