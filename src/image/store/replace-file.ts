import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file whole or not at all: first in a folder of the same file system, to the disk, and then in its place. Who
 * is killed in between leaves something in `folder`.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o644, folder = dirname(path)): void {
  const fresh = join(folder, `${basename(path)}.${process.pid}.new`);
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
