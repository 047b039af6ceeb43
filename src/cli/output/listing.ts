import { print } from "./print.js";
import { renderDockerTable } from "./table.js";
import { compileTemplate, type Fields } from "./template.js";

export interface Listing {
  /** docker's --format: "json", "table {{.A}}\t{{.B}}" or "{{.A}}". */
  format?: string | undefined;
  /** Field names in their order, with their headings. */
  columns: [field: string, heading: string][];
  rows: Fields[];
  /** Headings of fields that `columns` does not have. */
  headings?: Record<string, string>;
}

/** Prints rows as docker's listings do. @throws BrigError BRIG_BAD_FORMAT */
export function printListing({ format = "table", columns, rows, headings = {} }: Listing): void {
  const text = format.trim();
  if (text === "json") return print(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  if (text === "table") return print(renderDockerTable(columns.map(([, heading]) => heading), rows.map((row) => columns.map(([field]) => String(row[field] ?? "")))));
  const isTable = text.startsWith("table ");
  const template = compileTemplate(isTable ? text.slice("table ".length) : text);
  if (!isTable) return print(rows.map((row) => `${template(row)}\n`).join(""));
  const known = { ...headings, ...Object.fromEntries(columns) };
  const heading = Object.fromEntries([...new Set([...Object.keys(known), ...rows.flatMap(Object.keys)])].map((field) => [field, known[field] ?? field.toUpperCase()]));
  const lines = [heading, ...rows].map((row) => template(row).split("\t"));
  print(renderDockerTable(lines[0]!, lines.slice(1)));
}
