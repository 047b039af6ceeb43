import { wrapText } from "../host/render-findings.js";
import type { Wall } from "./wall.js";

export interface RenderWallsOptions {
  /** Characters in a line. Default 100. */
  width?: number;
  color?: boolean;
  /** What could not be looked at. */
  notes?: readonly string[];
}

const COLORS = { closed: "32", narrow: "33", open: "31", unknown: "35" } as const;

/** The walls as a list in columns, with what an opening means below each, and a summary at the end. */
export function renderWalls(walls: readonly Wall[], { width = 100, color = false, notes = [] }: RenderWallsOptions = {}): string {
  const column = Math.max(0, ...walls.map((wall) => wall.wall.length)) + 2;
  const lines = walls.flatMap((wall) => renderWall(wall, column, width, color));
  const remarks = notes.flatMap((note) => wrapText(`note: ${note}`, width));
  return `${[...lines, "", ...remarks, summarise(walls)].join("\n")}\n`;
}

function renderWall(wall: Wall, column: number, width: number, color: boolean): string[] {
  const word = wall.state.padEnd(8);
  const indent = " ".repeat(column + 8);
  const below = wall.state === "closed" ? [] : [`so: ${wall.means}`, ...(wall.word === undefined ? [] : [`${wall.state === "unknown" ? "do" : "to close"}: ${wall.word}`])];
  const [first = "", ...rest] = [wall.what, ...below].flatMap((text) => wrapText(text, Math.max(40, width - column - 8)));
  const state = color ? `\u001b[${COLORS[wall.state]}m${word}\u001b[0m` : word;
  return [`${wall.wall.padEnd(column)}${state}${first}`, ...rest.map((line) => indent + line)];
}

function summarise(walls: readonly Wall[]): string {
  const count = (state: Wall["state"]): number => walls.filter((wall) => wall.state === state).length;
  const unknown = count("unknown");
  return `${count("closed")} closed, ${count("narrow")} narrow, ${count("open")} open${unknown > 0 ? `, ${unknown} unknown` : ""}.`;
}
