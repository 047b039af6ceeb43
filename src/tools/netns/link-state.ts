import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { LINK_FOLDER, linkFile } from "./link-name.js";

/** What `connect` made for a namespace, so that `disconnect` can undo it. */
export interface Link {
  name: string;
  hostInterface: string;
  innerInterface: string;
  /** "100.88.0.0/30". */
  subnet: string;
  /** The nftables table; none with --no-nat. */
  table: string;
  nat: boolean;
  /** The interface with the way out, and whether it forwarded before any namespace was connected through it. */
  uplink?: string | undefined;
  uplinkForwarded?: boolean | undefined;
}

const linkSchema = z.object({
  name: z.string(),
  hostInterface: z.string().regex(/^brig[0-9a-f]{8}$/),
  innerInterface: z.string(),
  subnet: z.string(),
  table: z.string().regex(/^brig[0-9a-f]{8}$/),
  nat: z.boolean(),
  uplink: z.string().regex(/^[^/\s]{1,15}$/).optional(),
  uplinkForwarded: z.boolean().optional(),
});

export function readLink(name: string): Link | undefined {
  try {
    return linkSchema.parse(JSON.parse(readFileSync(linkFile(name), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Written whole or not at all. */
export function writeLink(link: Link): void {
  mkdirSync(LINK_FOLDER, { recursive: true, mode: 0o700 });
  const file = linkFile(link.name);
  writeFileSync(`${file}.new`, JSON.stringify(link), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeLink(name: string): void {
  rmSync(linkFile(name), { force: true });
}

/** All connected namespaces. */
export function listLinks(): Link[] {
  let files: string[];
  try {
    files = readdirSync(LINK_FOLDER);
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => linkSchema.safeParse(JSON.parse(readFileSync(`${LINK_FOLDER}/${file}`, "utf8"))).data ?? []);
}
