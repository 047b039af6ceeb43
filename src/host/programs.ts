import { accessSync, constants, lstatSync, realpathSync, statSync } from "node:fs";

/** The folders of PATH, each once; what is relative to the working folder is nobody's to run. */
export function listProgramFolders(path: string): string[] {
  return [...new Set(path.split(":").filter((folder) => folder.startsWith("/")))];
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Whether a path is a symbolic link that leads to a file. @param target without links */
export function isLinkTo(path: string, target: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink() && realpathSync(path) === target;
  } catch {
    return false;
  }
}

/** The first program of a name that does not lead to `excluded`. */
export function findOther(name: string, folders: readonly string[], excluded: string): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find((path) => isProgram(path) && !isLinkTo(path, excluded));
}
