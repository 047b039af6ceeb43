/** Rows as aligned columns, two spaces apart, the headings first. Numbers stand to the right. */
export function renderTable(headings: string[], rows: (string | number)[][]): string {
  const lines = [headings, ...rows].map((row) => row.map((cell) => showCell(cell)));
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => measureWidth(line[column] ?? ""))));
  const right = headings.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return lines.map((line) => renderLine(line, widths, right)).join("\n") + "\n";
}

const DOCKER_GAP = 3;
const DOCKER_LEAST = 10;

/** The same as docker's listings have it: columns three spaces apart and at least ten wide, nothing to the right. */
export function renderDockerTable(headings: string[], rows: string[][]): string {
  const lines = [headings, ...rows].map((row) => row.map((cell) => showCell(cell)));
  const widths = headings.map((_, column) => Math.max(DOCKER_LEAST, ...lines.map((line) => measureWidth(line[column] ?? "") + DOCKER_GAP)));
  const pad = (cell: string, column: number): string => (column === headings.length - 1 ? cell : cell + " ".repeat(widths[column]! - measureWidth(cell)));
  return lines.map((line) => `${line.map(pad).join("")}\n`).join("");
}

function renderLine(line: string[], widths: number[], right: boolean[]): string {
  const cells = line.map((cell, column) => {
    const padding = " ".repeat(Math.max(0, (widths[column] ?? 0) - measureWidth(cell)));
    return right[column] ? padding + cell : cell + padding;
  });
  return cells.join("  ").trimEnd();
}

/** A name that a payload chose must not steer the terminal: control characters are shown as \xNN. */
function showCell(cell: string | number): string {
  // oxlint-disable-next-line no-control-regex
  return String(cell).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** Columns that the text takes: one a character, two for the wide East Asian blocks and emoji, none for marks. */
export function measureWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(character) ? 2 : 1;
  }
  return width;
}
