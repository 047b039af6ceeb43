import { closeSync, fstatSync, openSync, readFileSync, constants } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { SYSTEM_FOLDER } from "./config.js";
import { cleanLine } from "./line.js";

/** A profile is a page or two; what is larger is something else. */
const MAX_SIZE = 1 << 20;

/** A line that says something. `number` is one-based. */
export interface ProfileLine {
  text: string;
  number: number;
}

/** Finds and reads profiles, each file once. */
export interface ProfileFiles {
  /** The user's folder first, then the system's. */
  folders: readonly string[];
  /** The file of a name in those folders, or undefined. */
  find(name: string): string | undefined;
  /** Its lines, or undefined when it does not exist. */
  read(path: string): readonly ProfileLine[] | undefined;
  /** Every path that was looked for, whether it exists or not. */
  looked: ReadonlySet<string>;
}

export function openProfileFiles(home: string, system = SYSTEM_FOLDER): ProfileFiles {
  const folders = [`${home}/.config/firejail`, system];
  const cache = new Map<string, readonly ProfileLine[] | undefined>();
  const looked = new Set<string>();
  const read = (path: string): readonly ProfileLine[] | undefined => {
    looked.add(path);
    if (!cache.has(path)) cache.set(path, readLines(path));
    return cache.get(path);
  };
  const find = (name: string): string | undefined => folders.map((folder) => `${folder}/${name}`).find((path) => read(path) !== undefined);
  return { folders, find, read, looked };
}

function readLines(path: string): readonly ProfileLine[] | undefined {
  const text = readFile(path);
  if (text === undefined) return undefined;
  const lines: ProfileLine[] = [];
  let number = 0;
  for (const raw of text.split("\n")) {
    number++;
    const first = raw.charCodeAt(0);
    if (first === HASH || Number.isNaN(first)) continue;
    const line = cleanLine(raw);
    if (line !== "") lines.push({ text: line, number });
  }
  return lines;
}

const HASH = "#".charCodeAt(0);

function readFile(path: string): string | undefined {
  let descriptor: number;
  try {
    // a pipe in a profile's place would hold the reader for ever
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw refuse(path, (error as Error).message, error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw refuse(path, "it is no regular file");
    if (stat.size > MAX_SIZE) throw refuse(path, `it has ${stat.size} bytes, and a profile at most ${MAX_SIZE}`);
    const text = readFileSync(descriptor, "utf8");
    if (text.includes("\0")) throw refuse(path, "it is no text");
    return text;
  } finally {
    closeSync(descriptor);
  }
}

function refuse(path: string, why: string, cause?: unknown): BrigError {
  return new BrigError(`cannot read the profile ${path}: ${why}`, { code: "BRIG_BAD_PROFILE", exitCode: 1, hint: "brig profile show NAME tells which files are read", cause });
}
