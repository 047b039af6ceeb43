import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { findDataFolder } from "../../sandbox/data-folder.js";
import { removeTree } from "../enclosed/remove-tree.js";
import { makeWhole } from "../part-folder.js";
import { type CloneMethod, copyRoot, realpathRoot } from "./clone-root.js";

/** A root as it was once: a folder of its own in the data folder, with `root/` and `snapshot.json`. */
export interface Snapshot {
  name: string;
  /** What it was taken of, absolute. */
  source: string;
  /** ISO 8601. */
  taken: string;
  method: CloneMethod;
  /** Its files. */
  root: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/;
/** What makeWhole calls unfinished ones, and removeSnapshot those that go. */
const UNFINISHED = /\.brig-part-\d+\.\d+$/;

function findFolder(): string {
  return join(findDataFolder(), "snapshots");
}

/**
 * Takes one; without a name it is called after the root and the time.
 * @throws BrigError as cloneRoot; BRIG_BAD_NAME, BRIG_NAME_TAKEN
 */
export async function takeSnapshot(root: string, name?: string, now = new Date()): Promise<Snapshot> {
  const source = realpathRoot(root);
  const chosen = name ?? `${basename(source).replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9_.-]/g, "") || "root"}-${now.toISOString().replaceAll(/[-:]/g, "").replace(/\..*/, "")}`;
  if (!NAME.test(chosen) || UNFINISHED.test(chosen)) throw new BrigError(`${JSON.stringify(chosen)} is no name for a snapshot`, { code: "BRIG_BAD_NAME", hint: "letters, digits, and behind the first . _ -" });
  const place = join(findFolder(), chosen);
  if (existsSync(place)) throw new BrigError(`there is a snapshot ${chosen} already`, { code: "BRIG_NAME_TAKEN", hint: `brig snapshot --remove ${chosen}` });
  mkdirSync(findDataFolder(), { recursive: true, mode: 0o711 });
  mkdirSync(findFolder(), { recursive: true, mode: 0o700 });
  const taken = now.toISOString();
  let method: CloneMethod = "copy";
  await makeWhole(place, async (part) => {
    mkdirSync(part, { mode: 0o700 });
    mkdirSync(join(part, "root"), { mode: 0o700 });
    method = await copyRoot(source, join(part, "root"));
    writeSynced(join(part, "snapshot.json"), JSON.stringify({ source, taken, method }));
  });
  return { name: chosen, source, taken, method, root: join(place, "root") };
}

function writeSynced(path: string, text: string): void {
  const fd = openSync(path, "wx", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** All, the oldest first. Something else in the folder is passed by. */
export function listSnapshots(): Snapshot[] {
  const folder = findFolder();
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).flatMap((name) => findSnapshot(name) ?? []);
  return found.sort((a, b) => a.taken.localeCompare(b.taken) || a.name.localeCompare(b.name));
}

export function findSnapshot(name: string): Snapshot | undefined {
  const place = join(findFolder(), name);
  if (!NAME.test(name) || UNFINISHED.test(name) || !lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  try {
    const { source, taken, method } = JSON.parse(readFileSync(join(place, "snapshot.json"), "utf8")) as Snapshot;
    return { name, source: String(source), taken: String(taken), method, root: join(place, "root") };
  } catch {
    return undefined;
  }
}

/** It loses its name first: killed meanwhile, no half of it is taken for whole. @throws BrigError BRIG_NO_SUCH_SNAPSHOT */
export async function removeSnapshot(name: string): Promise<void> {
  if (!findSnapshot(name)) throw new BrigError(`there is no snapshot ${JSON.stringify(name)}`, { code: "BRIG_NO_SUCH_SNAPSHOT", hint: "brig snapshot --list" });
  const place = join(findFolder(), name);
  const going = `${place}.brig-part-${process.pid}.0`;
  renameSync(place, going);
  await removeTree(going);
}
