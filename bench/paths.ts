import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What a benchmark run is made of. */
export interface Place {
  /** The checkout. */
  root: string;
  /** Where the transpiled sources are. */
  built: string;
  /** A folder for this run alone: the programs of bench/*.c, compiled plans, a cache. */
  scratch: string;
}

/** Where PATH leads for a program, or undefined. */
export function findProgram(name: string, path = process.env["PATH"] ?? ""): string | undefined {
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"].filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
