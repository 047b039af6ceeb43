/** What kind of thing a name in a folder is; "unknown" where the file system does not say. */
export type EntryKind = "file" | "directory" | "link" | "fifo" | "socket" | "character-device" | "block-device" | "unknown";

export interface Entry {
  name: string;
  kind: EntryKind;
}

const KINDS: Record<number, EntryKind> = { 1: "fifo", 2: "character-device", 4: "directory", 6: "block-device", 8: "file", 10: "link", 12: "socket" };

/** A buffer of struct linux_dirent64 (getdents(2)), without "." and "..". What is no name is left out. */
export function readEntries(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + 19 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at + 16);
    if (size < 20 || at + size > bytes.length) break;
    const end = bytes.indexOf(0, at + 19);
    const name = bytes.toString("utf8", at + 19, end < 0 || end > at + size ? at + size : end);
    if (name !== "." && name !== ".." && name !== "" && !name.includes("/")) entries.push({ name, kind: KINDS[bytes[at + 18] ?? 0] ?? "unknown" });
    at += size;
  }
  return entries;
}
