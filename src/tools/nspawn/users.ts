import { statSync } from "node:fs";
import type { IdMapping } from "../../spec/oci.js";
import { resolveMount } from "../../host/mountinfo.js";
import type { IdRange } from "../../host/subordinate-ids.js";
import { addBytes, formatHash, makeHash } from "../../plan/checksum.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import type { Tree } from "./root.js";
import { refuseWords } from "./values.js";

/** systemd's range for containers (https://systemd.io/UIDS-GIDS). */
const FIRST_BASE = 524_288;
const LAST_BASE = 1_878_982_656;
const COUNT = 65_536;

/** How the machine's ids stand on the host. */
export interface Users {
  /** Missing: the machine has no user namespace. */
  mappings?: { uids: IdMapping[]; gids: IdMapping[] };
  /** The files of the root have the machine's own numbers on disk: they are mapped when it is mounted. */
  mapsFiles: boolean;
  /** The files are to be given to those ids before. */
  chownTo?: number;
  /** Nobody asked for it: what is bound is mapped as the root is. */
  byDefault: boolean;
}

/**
 * Without a word about it a machine gets a user namespace: its root is nobody on the host. systemd-nspawn gives it one
 * only when asked to; `--private-users=no` does without here too.
 */
export function decideUsers(options: NspawnOptions, context: NspawnContext, { path: root, name, image }: Tree): Users {
  const asked = options.users ?? { kind: "pick" as const };
  const byDefault = options.users === undefined;
  if (context.host.euid !== 0) return mapOrdinary(options, context, root);
  if (asked.kind === "no") return { mapsFiles: false, byDefault };
  const owner = image ? 0 : statSync(root).uid;
  const shifted = owner >= COUNT && owner % COUNT === 0;
  if (asked.kind === "identity") return { mappings: mapRange(0, COUNT), mapsFiles: false, byDefault };
  if (asked.kind === "owner") return mapOwner(root, owner, byDefault);
  if (asked.kind === "pick" && shifted && options.ownership !== "chown") return { mappings: mapRange(owner, COUNT), mapsFiles: false, byDefault };
  const base = asked.kind === "fixed" ? asked.base : pickBase(name);
  const count = asked.kind === "fixed" ? asked.count : COUNT;
  return adjust(options, context, root, { base, count, owner, byDefault, ...(image ? { type: image.type, image: true } : {}) });
}

function mapRange(base: number, size: number): { uids: IdMapping[]; gids: IdMapping[] } {
  return { uids: [{ containerID: 0, hostID: base, size }], gids: [{ containerID: 0, hostID: base, size }] };
}

/** --private-users=yes: whoever owns the root says which ids are the machine's. */
function mapOwner(root: string, owner: number, byDefault: boolean): Users {
  if (owner % COUNT !== 0) throw refuseWords(`User namespace base of ${root} is no multiple of 65536: ${owner}`, "--private-users=pick chooses ids and maps the files");
  return { mappings: mapRange(owner, COUNT), mapsFiles: false, byDefault };
}

/** The same machine gets the same ids each time, as far as its name goes. */
function pickBase(name: string): number {
  const hash = makeHash();
  addBytes(hash, Buffer.from(`brig machine ${name}`));
  const number = BigInt(`0x${formatHash(hash)}`) % BigInt((LAST_BASE - FIRST_BASE) / COUNT);
  return FIRST_BASE + Number(number) * COUNT;
}

interface Range {
  base: number;
  count: number;
  owner: number;
  byDefault: boolean;
  /** The file system's, where it is not that of the folder. */
  type?: string;
  image?: boolean;
}

/** --private-users-ownership=: whether the files' owners are mapped, changed, or as they should be. */
function adjust(options: NspawnOptions, context: NspawnContext, root: string, { base, count, owner, byDefault, image = false, type = resolveMount(context.mounts, root)?.type ?? "" }: Range): Users {
  const mappings = mapRange(base, count);
  const ownership = options.ownership ?? (options.users?.kind === "fixed" ? "off" : "auto");
  if (ownership === "off" || owner === base) return { mappings, mapsFiles: false, byDefault };
  if (ownership === "chown") {
    if (image) throw refuseWords("The owners of an image's files cannot be changed.", "--private-users-ownership=map maps them");
    if (count !== COUNT) throw refuseWords(`Changing owners needs a range of ${COUNT} ids.`, "leave :NUIDS out");
    return { mappings, mapsFiles: false, chownTo: base, byDefault };
  }
  if (CANNOT_MAP.has(type) || context.host.kernel[0] < 5 || (context.host.kernel[0] === 5 && context.host.kernel[1] < 12))
    throw refuseWords(
      `The ids of ${root} cannot be mapped: ${type} on Linux ${context.host.kernel.join(".")} has no idmapped mounts`,
      "--private-users-ownership=chown gives the files other owners; --private-users=no goes without a user namespace",
    );
  return { mappings, mapsFiles: true, byDefault };
}

/** Those on which a whole system may lie, and that the kernel does not map. */
const CANNOT_MAP = new Set(["overlay", "nfs", "nfs4", "fuse", "9p", "virtiofs", "cifs", "smb3", "aufs"]);

/**
 * Who is not root maps what is his to map: himself, and his subordinate ids. A root that he owns is root's inside; one
 * that his subordinate ids own (mmdebstrap, `brig rootfs debootstrap`) begins with those.
 */
function mapOrdinary(options: NspawnOptions, { host }: NspawnContext, root: string): Users {
  if (options.users && options.users.kind !== "pick") throw refuseWords("Only root can choose the ids of a machine.", "leave --private-users out: you get your subordinate ids");
  const owner = statSync(root);
  const uids = mapOwn(owner.uid, host.euid, host.subuid, "/etc/subuid", root);
  const gids = mapOwn(owner.gid, host.egid, host.subgid, "/etc/subgid", root);
  return { mappings: { uids, gids }, mapsFiles: false, byDefault: false };
}

function mapOwn(owner: number, own: number, ranges: readonly IdRange[], file: string, root: string): IdMapping[] {
  const range = ranges.find(({ start, count }) => owner >= start && owner < start + count);
  if (range) return [{ containerID: 0, hostID: owner, size: Math.min(COUNT, range.start + range.count - owner) }];
  if (owner !== own) throw refuseWords(`${root} belongs to neither you nor your subordinate ids (${owner})`, `unpack it as yourself, or let ${file} give you ids`);
  const first = [...ranges].sort((a, b) => b.count - a.count)[0];
  const others = first ? [{ containerID: 1, hostID: first.start, size: Math.min(COUNT - 1, first.count) }] : [];
  return [{ containerID: 0, hostID: own, size: 1 }, ...others];
}
