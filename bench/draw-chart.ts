import type { Result, ResultRow } from "./result.js";

const WIDTH = 760;
const LINE = 46;
const LEFT = 16;
const SPAN = 620;
const COLORS = { met: "#2e7d5b", missed: "#b3452c", bar: "#8a8f98", track: "#8a8f9833", text: "#57606a" };

/** A picture of the rows with a bar: how far of what is allowed each one uses. SVG, readable on dark and light pages. */
export function drawChart(result: Result): string {
  const rows = result.rows.filter((row) => row.bar !== undefined && row.value !== undefined);
  const height = rows.length * LINE + 40;
  const scale = Math.max(1.25, ...rows.map(usePart));
  const title = `<title>What brig uses of what its design allows</title>`;
  const style = `<style>text{font:13px system-ui,sans-serif;fill:${COLORS.text}}.v{font-weight:600}</style>`;
  const body = rows.map((row, at) => drawRow(row, at * LINE + 8, scale)).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">${title}${style}${body}${drawLegend(height, scale)}</svg>\n`;
}

/** The value as a part of its bar. */
function usePart({ value = 0, bar = 1 }: ResultRow): number {
  return value / bar;
}

function drawRow(row: ResultRow, top: number, scale: number): string {
  const width = round((usePart(row) / scale) * SPAN);
  const unit = row.unit === "MB" ? " MB" : "";
  const value = `${(row.value ?? 0).toFixed(2)}${unit} of ${(row.bar ?? 0).toFixed(2)}${unit}`;
  return [
    `<text x="${LEFT}" y="${top + 13}">${escapeText(row.name)}</text>`,
    `<rect x="${LEFT}" y="${top + 19}" width="${SPAN}" height="14" rx="2" fill="${COLORS.track}"/>`,
    `<rect x="${LEFT}" y="${top + 19}" width="${width}" height="14" rx="2" fill="${row.met ? COLORS.met : COLORS.missed}"/>`,
    `<text class="v" x="${LEFT + SPAN + 8}" y="${top + 31}">${value}</text>`,
  ].join("");
}

function drawLegend(height: number, scale: number): string {
  const x = round(LEFT + SPAN / scale);
  const line = `<line x1="${x}" y1="8" x2="${x}" y2="${height - 30}" stroke="${COLORS.bar}" stroke-width="2" stroke-dasharray="4 3"/>`;
  return `${line}<text x="${x}" y="${height - 12}" text-anchor="middle">the bar</text><text x="${LEFT}" y="${height - 12}">less is better</text>`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
