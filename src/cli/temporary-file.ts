import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives a descriptor of a file with these bytes, which has no name any more, to `use`, and closes it. */
export function makeTemporaryFile<T>(bytes: Uint8Array, use: (descriptor: number) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "brig-"));
  let descriptor: number;
  try {
    writeFileSync(join(folder, "file"), bytes, { flag: "wx", mode: 0o600 });
    descriptor = openSync(join(folder, "file"), "r");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
