import { lstatSync, mkdirSync, readlinkSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { resolveInRoot } from "../../host/read-in-root.js";
import type { RootEntry } from "../../spec/extension.js";
import type { Mount } from "../../spec/oci.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import type { Tree } from "./root.js";
import { refuseWords } from "./values.js";

/** Entries and mounts behind the custom ones. */
export interface Integration {
  files: RootEntry[];
  mounts: Mount[];
}

const STATIC = "/usr/lib/systemd/resolv.conf";
const UPLINK = "/run/systemd/resolve/resolv.conf";
const STUB = "/run/systemd/resolve/stub-resolv.conf";
const SOURCES: Record<string, string> = { host: "/etc/resolv.conf", static: STATIC, uplink: UPLINK, stub: STUB };

interface Surroundings {
  tree: Tree;
  /** The payload cannot change /etc: what is put there is mounted. */
  readonly: boolean;
  sharesNetwork: boolean;
}

/** --resolv-conf=: with the host's network the machine asks the host's resolvers, else it is left alone. */
export function integrateResolvConf(options: NspawnOptions, context: NspawnContext, { tree, readonly, sharesNetwork }: Surroundings): Integration {
  const asked = options.resolvConf ?? "auto";
  const path = "/etc/resolv.conf";
  if (asked === "off" || (asked === "auto" && !sharesNetwork)) return nothing();
  if (asked === "delete") return { mounts: [], files: [{ type: "remove", path }] };
  const [way, from] = (asked === "auto" ? chooseResolvConf(context, readonly) : asked).split("-") as [string, string];
  const source = SOURCES[from]!;
  const content = context.read(source);
  if (content === undefined) {
    if (asked === "auto") return nothing();
    throw refuseWords(`Failed to open '${source}': No such file or directory`, "--resolv-conf=off leaves the machine's own");
  }
  if (way === "bind") return bindOver(tree, realpathSync(source), path);
  return { mounts: [], files: [{ type: "replace", path, content, ...(way === "copy" ? { unlessLink: true } : {}), optional: options.resolvConf === undefined }] };
}

function nothing(): Integration {
  return { files: [], mounts: [] };
}

/** A stub resolver that runs on the host is reached by its loopback address, which a machine with its network shares. */
function chooseResolvConf(context: NspawnContext, readonly: boolean): string {
  const stub = context.read(STUB) !== undefined;
  return `${readonly ? "bind" : stub ? "replace" : "copy"}-${stub ? "stub" : "host"}`;
}

/** Over what is there: a link in the machine leads to a place that may be made only when it runs. */
function bindOver(tree: Tree, source: string, path: string): Integration {
  const there = tree.image ? path : resolveInRoot(tree.path, path);
  if (there === undefined || (!tree.image && !statSync(there, { throwIfNoEntry: false }))) return nothing();
  return { files: [], mounts: [{ destination: path, type: "bind", source, options: ["bind", "ro", "nosuid", "nodev", "noexec"] }] };
}

/** --timezone=: "auto" makes the machine's /etc/localtime a link as the host's, or mounts the host's where it is read-only. */
export function integrateTimezone(options: NspawnOptions, context: NspawnContext, { tree, readonly }: Surroundings): Integration {
  const asked = options.timezone ?? "auto";
  const path = "/etc/localtime";
  const optional = options.timezone === undefined;
  if (asked === "off") return nothing();
  if (asked === "delete") return { mounts: [], files: [{ type: "remove", path }] };
  if (asked === "copy") throw refuseWords("--timezone=copy is not supported by brig", "--timezone=symlink, or bind where the machine has no zone data");
  context.consulted.add(path);
  const zone = readZone(path);
  if (zone === undefined && !lstatSync(path, { throwIfNoEntry: false })) return nothing();
  const mode = asked === "auto" ? (readonly ? "bind" : "symlink") : asked;
  if (mode === "symlink" && zone !== undefined && hasZone(tree, zone)) return { mounts: [], files: [{ type: "relink", path, target: `../usr/share/zoneinfo/${zone}`, optional }] };
  if (mode === "bind") return bindOver(tree, realpathSync(path), path);
  if (mode === "symlink" && asked !== "auto") throw refuseWords(`Failed to link ${path}: the machine has no zone ${zone ?? "of the host's"}`, "--timezone=bind shows the host's file");
  return nothing();
}

/** "Europe/Berlin", by where the host's link leads. */
function readZone(path: string): string | undefined {
  try {
    return /zoneinfo\/([A-Za-z0-9_+/-]+)$/.exec(readlinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}

function hasZone(tree: Tree, zone: string): boolean {
  if (tree.image) return true;
  const place = resolveInRoot(tree.path, `/usr/share/zoneinfo/${zone}`);
  return place !== undefined && statSync(place, { throwIfNoEntry: false }) !== undefined;
}

const JOURNAL = "/var/log/journal";

/**
 * --link-journal=: "guest" links the machine's journal from among the host's, "host" mounts the host's folder for it into
 * the machine; "auto" does that where there is such a folder.
 */
export function integrateJournal(options: NspawnOptions, context: NspawnContext, tree: Tree, id: string | undefined): Integration {
  const mode = options.linkJournal ?? "auto";
  const tries = mode === "auto" || mode.startsWith("try-");
  if (mode === "no" || (tries && (options.ephemeral || tree.image !== undefined))) return nothing();
  context.consulted.add(JOURNAL);
  const problem = findJournalProblem(options, tree, id, mode);
  if (problem !== undefined) {
    if (tries) return nothing();
    throw refuseWords(`Failed to link the journal: ${problem}`, "--link-journal=try-guest goes without where it cannot be done");
  }
  const folder = `${JOURNAL}/${id}`;
  if (mode.endsWith("guest")) return linkGuest(tree, folder);
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat && mode === "auto") return nothing();
  if (!stat) mkdirSync(folder, { mode: 0o755 });
  else if (!stat.isDirectory()) return nothing();
  return { files: [], mounts: [{ destination: folder, type: "bind", source: folder, options: ["bind"] }] };
}

function findJournalProblem(options: NspawnOptions, tree: Tree, id: string | undefined, mode: string): string | undefined {
  if (options.ephemeral) return "the machine is thrown away at its end";
  if (tree.image) return "the machine is an image";
  if (id === undefined) return "the machine has no machine-id yet: boot it once, or give --uuid=";
  if (!statSync(JOURNAL, { throwIfNoEntry: false })?.isDirectory() && mode !== "host") return `${JOURNAL} is not there`;
  return undefined;
}

/** A link of the host's, by which journalctl -m finds it. */
function linkGuest(tree: Tree, folder: string): Integration {
  try {
    symlinkSync(join(tree.path, folder), folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EEXIST" && code !== "EACCES" && code !== "EROFS") throw error;
  }
  return nothing();
}
