import type { Mount } from "../../spec/oci.js";
import { type Extension } from "../../spec/extension.js";
import { MOUNT_ATTR, MS } from "../format.js";
import { refuse } from "./context.js";

/** A mount's options, sorted by what they are to the kernel. */
export interface MountOptions {
  bind: boolean;
  recursive: boolean;
  /** MOUNT_ATTR_* */
  set: number;
  clear: number;
  /** MS_SHARED and its like, without MS_REC; 0: not said. */
  propagation: number;
  idmap: boolean;
  idmapRecursive: boolean;
  /** The file system's own, "size=64m". */
  data: string[];
}

const SET: Record<string, number> = {
  ro: MOUNT_ATTR.RDONLY,
  nosuid: MOUNT_ATTR.NOSUID,
  nodev: MOUNT_ATTR.NODEV,
  noexec: MOUNT_ATTR.NOEXEC,
  noatime: MOUNT_ATTR.NOATIME,
  strictatime: MOUNT_ATTR.STRICTATIME,
  nodiratime: MOUNT_ATTR.NODIRATIME,
  nosymfollow: MOUNT_ATTR.NOSYMFOLLOW,
};

/** These take back an earlier option of the same list, as in mount(8); by themselves they are what mounts are anyway. */
const UNSET: Record<string, number> = {
  rw: MOUNT_ATTR.RDONLY,
  suid: MOUNT_ATTR.NOSUID,
  dev: MOUNT_ATTR.NODEV,
  exec: MOUNT_ATTR.NOEXEC,
  diratime: MOUNT_ATTR.NODIRATIME,
  symfollow: MOUNT_ATTR.NOSYMFOLLOW,
  nostrictatime: MOUNT_ATTR.STRICTATIME,
  atime: MOUNT_ATTR.NOATIME,
  norelatime: 0,
  defaults: 0,
  async: 0,
};

const PROPAGATION: Record<string, number> = { shared: MS.SHARED, slave: MS.SLAVE, private: MS.PRIVATE, unbindable: MS.UNBINDABLE };

/** Flags of the file system itself, which fsconfig(2) takes as options without a value. */
const SUPERBLOCK = new Set(["sync", "dirsync", "mand", "lazytime", "silent"]);

/** What mount(8) does beyond mount(2), or an old kernel did: refused rather than passed over. */
const UNSUPPORTED = new Set(["remount", "tmpcopyup", "auto", "user", "users", "owner", "group", "loop", "nofail"]);

/** OCI's mount options (config.md "Linux mount options"), with an "r" before an attribute for the recursive form. */
export function parseMountOptions(mount: Mount, extension: Extension, pointer: string): MountOptions {
  const parsed: MountOptions = {
    bind: mount.type === "bind", recursive: false, set: 0, clear: 0, propagation: 0,
    idmap: Boolean(mount.uidMappings ?? mount.gidMappings), idmapRecursive: false, data: [],
  };
  for (const option of mount.options ?? []) {
    if (UNSUPPORTED.has(option))
      throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `the mount option ${option} of ${mount.destination} is not supported`, "leave the option out");
    if (!applyOption(parsed, option)) parsed.data.push(option);
  }
  return parsed;
}

function applyOption(parsed: MountOptions, option: string): boolean {
  if (option === "bind" || option === "rbind") {
    parsed.bind = true;
    parsed.recursive ||= option === "rbind";
    return true;
  }
  if (option === "idmap" || option === "ridmap") {
    parsed.idmap = true;
    parsed.idmapRecursive ||= option === "ridmap";
    return true;
  }
  if (SUPERBLOCK.has(option)) return false;
  return applyAttribute(parsed, option) || (option.startsWith("r") && applyAttribute(parsed, option.slice(1)));
}

function applyAttribute(parsed: MountOptions, option: string): boolean {
  const propagation = PROPAGATION[option];
  if (propagation) parsed.propagation = propagation;
  else if (option === "relatime") setAccessTime(parsed, 0);
  else if (option === "noatime" || option === "strictatime") setAccessTime(parsed, SET[option] as number);
  else if (option in SET) parsed.set |= SET[option] as number;
  else if (option in UNSET) parsed.set &= ~(UNSET[option] as number);
  else return false;
  return true;
}

/** The three access-time modes are one field of the attributes: setting one means clearing it all. */
function setAccessTime(parsed: MountOptions, mode: number): void {
  parsed.set = (parsed.set & ~MOUNT_ATTR.ATIME) | mode;
  parsed.clear |= MOUNT_ATTR.ATIME;
}
