const GAP = 3;
const LEAST = 10;

/** Columns as docker's tables have them: three blanks between, none behind the last. */
export function renderDockerTable(headings: string[], rows: string[][]): string {
  const lines = [headings, ...rows.map((row) => row.map(cleanCell))];
  const widths = headings.map((_, column) => Math.max(LEAST, ...lines.map((line) => line[column]!.length + GAP)));
  return lines.map((line) => `${line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column]!))).join("")}\n`).join("");
}

/** What an image calls itself must not steer the terminal. */
function cleanCell(cell: string): string {
  // oxlint-disable-next-line no-control-regex
  return cell.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}

export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** "Less than a second ago", "About a minute ago", "3 weeks ago", as go-units has it. */
export function showAgo(time: string, now = Date.now()): string {
  return `${describeDuration((now - Date.parse(time)) / 1000)} ago`;
}

function describeDuration(seconds: number): string {
  const [minutes, hours] = [Math.floor(seconds / 60), Math.round(seconds / 3600)];
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  return hours < 24 * 365 * 2 ? `${Math.floor(hours / 24 / 30)} months` : `${Math.floor(hours / 24 / 365)} years`;
}
