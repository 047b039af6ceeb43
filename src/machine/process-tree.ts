import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { readText } from "../host/read-text.js";
import { listMembers } from "../sandbox/members.js";
import { listOwnCgroups } from "../sandbox/sandbox.js";
import type { Machine } from "./find.js";

/** What runs in a cgroup, and in those below it. */
export interface CgroupTree {
  name: string;
  processes: { pid: number; command: string }[];
  below: CgroupTree[];
}

/** A machine may make any number of cgroups, as deep as it likes: so many are looked at. */
const DEEPEST = 12;
const MOST = 500;

/** By the machine's own cgroups, which its init has sorted its processes into; else they stand beside one another. */
export function readMachineTree({ sandbox }: Machine): CgroupTree {
  const budget = { left: MOST };
  const [tree] = listOwnCgroups(sandbox).flatMap((path) => readTree(path, 0, budget) ?? []).filter((each) => each.below.length > 0);
  return tree ?? { name: "", processes: listMembers(sandbox).slice(0, MOST).map(({ pid }) => describe(pid)), below: [] };
}

function readTree(path: string, depth: number, budget: { left: number }): CgroupTree | undefined {
  const text = readText(`${path}/cgroup.procs`);
  if (text === undefined || budget.left-- <= 0) return undefined;
  const pids = text.split("\n").filter((line) => /^[1-9]\d*$/.test(line)).map(Number).sort((a, b) => a - b).slice(0, MOST);
  const below = depth >= DEEPEST ? [] : listFolders(path).flatMap((name) => readTree(`${path}/${name}`, depth + 1, budget) ?? []);
  return { name: clean(basename(path)), processes: pids.map(describe), below };
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** The command line; a process of the kernel's, or one that cleared it, by its name. */
function describe(pid: number): { pid: number; command: string } {
  const words = readText(`/proc/${pid}/cmdline`)?.split("\0").filter((word, index, all) => word !== "" || index < all.length - 1) ?? [];
  const command = words.length > 0 ? words.join(" ") : `[${readText(`/proc/${pid}/comm`)?.trim() ?? "?"}]`;
  return { pid, command: clean(command).slice(0, 2000) };
}

/** A machine chooses these texts: what steers a terminal is shown as systemd shows it, escaped. */
function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
