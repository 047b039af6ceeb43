import { posix } from "node:path";
import { refuseNul, refuseValue } from "./bad-value.js";
import { splitAtColons } from "./colons.js";
import { parseMode } from "./mode.js";
import { parseSize } from "./size.js";

/** An empty folder in memory. */
export interface Tmpfs {
  /** Absolute and without "." and "..". */
  destination: string;
  /** Bytes. */
  size?: number;
  mode?: number;
  exec: boolean;
}

const HINT = 'write /PATH or /PATH:size=64MiB,mode=0755,exec (or noexec)';

/**
 * "/PATH[:OPTION,…]" with the options size=SIZE, mode=OCTAL, exec (default) and noexec, as docker's `--tmpfs`.
 *
 * @throws BrigError BRIG_BAD_VALUE
 */
export function parseTmpfs(value: string, where = "tmpfs"): Tmpfs {
  refuseNul(value, where);
  const [path = "", options, ...more] = splitAtColons(value);
  if (!path.startsWith("/") || more.length > 0) refuseValue(value, where, "is not a place for a tmpfs", HINT);
  const destination = posix.resolve("/", path);
  if (destination === "/") refuseValue(value, where, "would cover the whole root", HINT);
  const tmpfs: Tmpfs = { destination, exec: true };
  for (const option of options === undefined ? [] : options.split(",")) setOption(tmpfs, option, value, where);
  return tmpfs;
}

function setOption(tmpfs: Tmpfs, option: string, value: string, where: string): void {
  const [name, setting = ""] = option.split(/=(.*)/s);
  if (name === "size") tmpfs.size = readTmpfsSize(setting, where);
  else if (name === "mode") tmpfs.mode = parseMode(setting, `${where}: mode`);
  else if (option === "exec" || option === "noexec") tmpfs.exec = option === "exec";
  else refuseValue(value, where, `has the unknown option ${JSON.stringify(option)}`, HINT);
}

/** tmpfs(5) takes size=0 as "no limit", which is the opposite of what it says. */
function readTmpfsSize(setting: string, where: string): number {
  const size = parseSize(setting, `${where}: size`);
  if (size === 0) refuseValue(setting, `${where}: size`, "is no size for a tmpfs", "the kernel takes 0 as no limit at all; leave the size out or name one");
  return size;
}
