import { lstatSync, readlinkSync } from "node:fs";
import { addFile, addMount, byDefault, consultFile, type Draft } from "./draft.js";

/** What programs need of the host to run, where it exists. */
const FOLDERS = ["/usr", "/etc", "/opt", "/nix", "/gnu"];

/** Links into /usr on a merged system, folders of their own elsewhere (hier(7), Debian's UsrMerge). */
const ROOT_FOLDERS = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32", "/libilp32"];

export const READ_ONLY_TREE = ["rbind", "rro", "rnosuid", "rnodev"];

/** The host's system folders, read-only, at their own places. */
export function addSystemFolders(draft: Draft): void {
  consultFile(draft, "/");
  for (const folder of [...FOLDERS, ...ROOT_FOLDERS]) addSystemFolder(draft, folder);
}

function addSystemFolder(draft: Draft, folder: string): void {
  const entry = lstatSync(folder, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink()) addFile(draft, { type: "symlink", path: folder, target: readlinkSync(folder) });
  else if (entry?.isDirectory()) bindSystemFolder(draft, folder);
}

function bindSystemFolder(draft: Draft, folder: string): void {
  addMount(draft, { destination: folder, type: "bind", source: folder, options: READ_ONLY_TREE }, byDefault("the system's programs, read-only"));
  draft.visible.push({ source: folder, destination: folder });
}
