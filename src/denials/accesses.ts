import type { PathLook, WatchEvent } from "../plan/watch/events.js";
import type { Want } from "./denial.js";

/** One path of a call and what the call wants of it. */
export interface Access {
  look: PathLook;
  want: Want;
  /** A link at the end of the path is meant itself. */
  nofollow: boolean;
  /** The file is made where it is missing. */
  creates: boolean;
  /** Who is to own it then, or -1. */
  owner?: number;
}

const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_NOFOLLOW = 0o400000;
const O_PATH = 0o10000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_SYMLINK_FOLLOW = 0x400;
const AF_UNIX = 1;

/** What a watched call wants of each of its paths (the manual page of each call in section 2). */
export function listAccesses(event: WatchEvent): Access[] {
  return event.paths.flatMap((look, index) => readAccess(event, look, index) ?? []);
}

function readAccess(event: WatchEvent, look: PathLook, index: number): Access | undefined {
  const { call } = event;
  const open = OPEN_FLAGS[call];
  if (open) return { look, ...readOpen(open(event)) };
  if (call === "access" || call.startsWith("faccessat")) return { look, ...PLAIN, want: readMode(number(event, look.argument + 1)) };
  if (call === "connect" || call === "bind") return isUnix(event, look) ? { look, ...PLAIN, want: call === "bind" ? "create" : "connect" } : undefined;
  const want = WANTS[call]?.[index] ?? WANTS[call]?.[0];
  if (!want) return undefined;
  const owner = call.includes("chown") ? { owner: number(event, look.argument + 1) } : {};
  return { look, want, creates: false, nofollow: isNofollow(event, want), ...owner };
}

const PLAIN = { nofollow: false, creates: false };

const OPEN_FLAGS: Record<string, (event: WatchEvent) => number> = {
  open: (event) => number(event, 1),
  openat: (event) => number(event, 2),
  openat2: (event) => Number(event.bytes.get(2)?.length ?? 0) >= 8 ? event.bytes.get(2)!.readUInt32LE(0) : 0,
  creat: () => O_CREAT | O_TRUNC | 1,
};

function readOpen(flags: number): Omit<Access, "look"> {
  const writes = (flags & O_ACCMODE) !== 0 || (flags & O_TRUNC) !== 0;
  return { want: flags & O_PATH ? "look" : writes ? "write" : "read", nofollow: (flags & O_NOFOLLOW) !== 0, creates: (flags & O_CREAT) !== 0 };
}

/** R_OK, W_OK, X_OK: the most that is asked for. */
function readMode(mode: number): Want {
  if (mode & 2) return "write";
  if (mode & 1) return "execute";
  return mode & 4 ? "read" : "look";
}

function isUnix(event: WatchEvent, look: PathLook): boolean {
  return event.addresses.get(look.argument)?.readUInt16LE(0) === AF_UNIX;
}

/** By call; the second is for its second path. */
const WANTS: Record<string, readonly Want[]> = {
  stat: ["look"], lstat: ["look"], newfstatat: ["look"], statx: ["look"], readlink: ["look"], readlinkat: ["look"], chdir: ["look"],
  statfs: ["look"], inotify_add_watch: ["look"], execve: ["execute"], execveat: ["execute"],
  mkdir: ["create"], mkdirat: ["create"], mknod: ["create"], mknodat: ["create"], symlink: ["create"], symlinkat: ["create"],
  rmdir: ["remove"], unlink: ["remove"], unlinkat: ["remove"],
  rename: ["remove", "replace"], renameat: ["remove", "replace"], renameat2: ["remove", "replace"], link: ["look", "create"], linkat: ["look", "create"],
  truncate: ["write"], chmod: ["change"], fchmodat: ["change"], fchmodat2: ["change"], chown: ["change"], lchown: ["change"], fchownat: ["change"],
  utime: ["change"], utimes: ["change"], futimesat: ["change"], utimensat: ["change"],
  setxattr: ["change"], lsetxattr: ["change"], removexattr: ["change"], lremovexattr: ["change"],
};

/** Where the flags stand that say not to follow. */
const FLAGS_AT: Record<string, number> = { newfstatat: 3, statx: 2, fchownat: 4, utimensat: 3, execveat: 4 };

function isNofollow(event: WatchEvent, want: Want): boolean {
  const { call } = event;
  if (call.startsWith("l") || call.startsWith("readlink")) return call !== "linkat" || (number(event, 4) & AT_SYMLINK_FOLLOW) === 0;
  const at = FLAGS_AT[call];
  return at === undefined ? want === "remove" || want === "replace" || want === "create" : (number(event, at) & AT_SYMLINK_NOFOLLOW) !== 0;
}

/** An argument that the kernel reads as `int`. */
export function number(event: WatchEvent, index: number): number {
  return Number(BigInt.asIntN(32, event.args[index] ?? 0n));
}
