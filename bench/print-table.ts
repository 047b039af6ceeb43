import type { Result, ResultRow } from "./result.js";

/** The result as a table for a terminal. */
export function printTable(result: Result): string {
  const header = ["WHAT", "RATIO", "P10", "P90", "BAR", "", "MICROSECONDS (MEDIAN)"];
  const lines = [header, ...result.rows.map(listCells)];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const text = lines.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  return `${text.join("\n")}\n\n${describeRun(result)}\n`;
}

function listCells(row: ResultRow): string[] {
  if (row.value === undefined) return [row.name, "missing", "", "", row.bar === undefined ? "" : row.bar.toFixed(2), "", row.missing ?? ""];
  const { ratio, bar } = row;
  const verdict = row.met === undefined ? "" : row.met ? "met" : "MISSED";
  const value = row.unit === "MB" ? `${row.value.toFixed(2)} MB` : row.value.toFixed(2);
  const spread = ratio === undefined ? ["", ""] : [ratio.p10.toFixed(2), ratio.p90.toFixed(2)];
  const times = ratio === undefined ? "" : `${Math.round(ratio.ours.median)} / ${Math.round(ratio.theirs.median)}`;
  return [row.name, value, ...spread, bar === undefined ? "" : bar.toFixed(2), verdict, times];
}

function describeRun({ kernel, node, root, rounds, runs, load }: Result): string {
  return `Linux ${kernel}, Node ${node}, as ${root ? "root" : "an ordinary user"}; ${rounds} rounds of ${runs} runs each, interleaved; ratios are medians of the rounds' ratios. Load average ${load.map((value) => value.toFixed(1)).join(" to ")}.${describeRunFolder()}`;
}

function describeRunFolder(): string {
  return process.env["BRIG_BENCH_TMPFS"] ? " The run folder is put in memory for it, where every host with systemd has it." : "";
}
