import { formatAgo, formatBytes, formatTimestamp } from "./format.js";
import type { MachinectlOptions } from "./options.js";
import { renderSystemdTable } from "./table.js";

/** An image as `list-images` and `image-status` show it. Times in milliseconds, sizes in bytes. */
export interface ShownImage {
  name: string;
  type: string;
  path: string;
  readonly: boolean;
  createdMs: number | undefined;
  modifiedMs: number | undefined;
  usage: number | undefined;
  limit: number | undefined;
  /** Of its /etc, where it has one. */
  hostname?: string | undefined;
  os?: string | undefined;
}

const UNKNOWN = "18446744073709551615";

export function renderImageList(images: readonly ShownImage[], { all, legend }: Pick<MachinectlOptions, "all" | "legend">): string {
  const shown = images.filter(({ name }) => all || !name.startsWith("."));
  const rows = shown.map(({ name, type, readonly, usage, createdMs, modifiedMs }) => [
    name, type, readonly ? "yes" : "no", formatBytes(usage), formatTimestamp(createdMs), formatTimestamp(modifiedMs),
  ]);
  return renderSystemdTable(["NAME", "TYPE", "RO", "USAGE", "CREATED", "MODIFIED"], rows, legend, "images");
}

/** What `image-status NAME` prints. */
export function renderImageStatus(image: ShownImage, nowMs = Date.now()): string {
  const when = (ms: number): string => `${formatTimestamp(ms)}; ${formatAgo(ms, nowMs)}`;
  const lines: [string, string | undefined][] = [
    ["Type", image.type],
    ["Path", image.path],
    ["Hostname", image.hostname],
    ["OS", image.os],
    ["RO", image.readonly ? "read-only" : "writable"],
    ["Created", image.createdMs === undefined ? undefined : when(image.createdMs)],
    ["Modified", image.modifiedMs === undefined ? undefined : when(image.modifiedMs)],
    ["Usage", image.usage === undefined ? undefined : formatBytes(image.usage)],
    ["Limit", image.limit === undefined ? undefined : formatBytes(image.limit)],
  ];
  return `${image.name}\n${renderFields(lines)}`;
}

/** "    Type: directory": the names end at one column, behind a tab. */
export function renderFields(lines: readonly (readonly [string, string | undefined])[]): string {
  return lines.map(([name, value]) => (value === undefined ? "" : `\t${name.padStart(8)}: ${value}\n`)).join("");
}

/** The properties of `show-image NAME`, as machined has them on the bus. */
export function listImageProperties(image: ShownImage): [string, string][] {
  const sized = (bytes: number | undefined): string => (bytes === undefined ? UNKNOWN : String(bytes));
  const limit = image.limit === undefined ? "infinity" : String(image.limit);
  return [
    ["Name", image.name],
    ["Path", image.path],
    ["Type", image.type],
    ["ReadOnly", image.readonly ? "yes" : "no"],
    ["CreationTimestamp", image.createdMs === undefined ? "" : formatTimestamp(image.createdMs)],
    ["ModificationTimestamp", image.modifiedMs === undefined ? "" : formatTimestamp(image.modifiedMs)],
    ["Usage", sized(image.usage)],
    ["Limit", limit],
    ["UsageExclusive", sized(image.usage)],
    ["LimitExclusive", limit],
  ];
}

/** The properties of the folder that images are kept in: `show`, `show-image`. */
export function listPoolProperties(path: string): [string, string][] {
  return [["PoolPath", path], ["PoolUsage", UNKNOWN], ["PoolLimit", UNKNOWN]];
}

/** "Name=deb"; what is empty only when all, or that, was asked for. */
export function renderProperties(properties: readonly (readonly [string, string])[], { properties: wanted, value, all }: Pick<MachinectlOptions, "properties" | "value" | "all">): string {
  return properties
    .filter(([name, text]) => (wanted.length === 0 || wanted.includes(name)) && (all || text !== ""))
    .map(([name, text]) => `${value ? "" : `${name}=`}${text}\n`)
    .join("");
}
