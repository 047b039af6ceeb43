import { createHash } from "node:crypto";
import { existsSync } from "node:fs";

/** Where brig keeps what it made for connected namespaces; root's alone. */
export const LINK_FOLDER = "/run/brig-netns";

/** Interface and table names for a namespace: its own name may be longer and stranger than an interface's 15 bytes. */
export function nameLink(name: string): string {
  return `brig${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

export function linkFile(name: string): string {
  return `${LINK_FOLDER}/${nameLink(name)}.json`;
}

/** Whether a namespace has a link that brig made, as far as the caller may know. */
export function isConnected(name: string): boolean {
  return existsSync(linkFile(name));
}
