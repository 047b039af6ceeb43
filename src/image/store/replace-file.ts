import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file whole or not at all: beside it, to the disk, and then in its place. */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    rmSync(fresh, { force: true });
    const file = openSync(fresh, "wx", mode);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
