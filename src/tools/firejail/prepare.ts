import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { Created } from "./make.js";
import type { JailSpec } from "./spec.js";

/** Staged files are named by their content and small; what nobody has used for a day goes. */
const DAY_MS = 86_400_000;

/** mkdir and mkfile of a profile; before its other rules, which look at what is there. */
export function makeCreated({ folders, files }: Created): void {
  for (const folder of folders) makeFolder(folder);
  for (const file of files) makeFile(file);
}

/** Brig's folders, which made later would come after the masks that hide them. */
export function prepareFolders(stage: string, run: string): void {
  mkdirSync(run, { recursive: true, mode: 0o700 });
  openStage(stage);
}

/** The sandbox's own files. */
export function stageFiles(staged: JailSpec["staged"]): void {
  for (const { path, content } of staged) stageContent(path, content);
}

/** A folder of the caller's alone: another user's files in it would be mounted into the sandbox. */
function openStage(stage: string): void {
  try {
    mkdirSync(stage, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new BrigError(`cannot make the folder ${stage}: ${(error as Error).message}`, { code: "BRIG_UNSAFE_FOLDER", exitCode: 1, hint: "give the folder above it to this user, or set XDG_CACHE_HOME", cause: error });
  }
  const stat = lstatSync(stage);
  if (!stat.isDirectory() || stat.uid !== process.geteuid?.())
    throw new BrigError(`${stage} is not a folder of this user`, { code: "BRIG_UNSAFE_FOLDER", exitCode: 1, hint: `remove it, or set XDG_CACHE_HOME` });
  chmodSync(stage, 0o700);
  for (const name of readdirSync(stage)) {
    const path = `${stage}/${name}`;
    if (Date.now() - lstatSync(path).mtimeMs > DAY_MS) rmSync(path, { force: true });
  }
}

function stageContent(path: string, content: string): void {
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, content, { mode: 0o444, flag: "wx" });
  renameSync(fresh, path);
}

function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

function makeFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600));
}
