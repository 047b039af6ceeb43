/** A cell of several lines continues below itself. */
export type Cell = string | readonly string[];

/**
 * Lines of a table as systemd prints them: columns as wide as their widest cell, a blank between, nothing behind the
 * last; with `legend` a head, and "N things listed." behind an empty line.
 */
export function renderSystemdTable(head: readonly string[], rows: readonly Cell[][], legend: boolean, things: string): string {
  if (rows.length === 0) return legend ? `No ${things}.\n` : "";
  const all: Cell[][] = legend ? [[...head], ...rows] : [...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => Math.max(0, ...linesOf(row[column]!).map((line) => line.length)))));
  const text = all.flatMap((row) => renderRow(row, widths)).join("");
  return legend ? `${text}\n${rows.length} ${things} listed.\n` : text;
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string[] {
  const height = Math.max(1, ...row.map((cell) => linesOf(cell).length));
  return Array.from({ length: height }, (_, line) => {
    const cells = row.map((cell, column) => pad(linesOf(cell)[line] ?? "", widths[column]!));
    return `${cells.join(" ").trimEnd()}\n`;
  });
}

/** Sizes stand at the right. */
function pad(text: string, width: number): string {
  return /^[\d.]+[BKMGTPE]$/.test(text) ? text.padStart(width) : text.padEnd(width);
}

function linesOf(cell: Cell): readonly string[] {
  return typeof cell === "string" ? [cell] : cell;
}
