import type { HostArch } from "../seccomp/architectures.js";
import { readSyscalls } from "../seccomp/tables.js";

/** What an argument is, by the letter that `WATCHED` has for it: WATCH_* of launcher/plan.h. */
const KINDS: Record<string, number> = { n: 0, a: 1, p: 2, s: 3, b: 4, m: 5, f: 6 };

/**
 * The calls that are watched, and what their arguments are: a number (n), the descriptor that a path is relative to
 * (a), a path (p), a socket address (s), bytes whose count is the next argument (b), messages (m), a descriptor (f).
 * Not sendmsg, write and close: the launcher hands the listener over with them.
 */
const WATCHED: Record<string, string> = {
  openat: "ap", newfstatat: "ap", statx: "ap", open: "p", stat: "p", lstat: "p", access: "p", faccessat: "ap", faccessat2: "ap",
  readlink: "p", readlinkat: "ap", openat2: "apb", creat: "p", execve: "p", execveat: "ap", chdir: "p", statfs: "p", inotify_add_watch: "np",
  mkdir: "p", mkdirat: "ap", rmdir: "p", unlink: "p", unlinkat: "ap", rename: "pp", renameat: "apap", renameat2: "apap",
  link: "pp", linkat: "apap", symlink: "np", symlinkat: "nap", truncate: "p", chmod: "p", fchmodat: "ap", fchmodat2: "ap",
  chown: "p", lchown: "p", fchownat: "ap", utime: "p", utimes: "p", futimesat: "ap", utimensat: "ap", mknod: "p", mknodat: "ap",
  setxattr: "p", lsetxattr: "p", removexattr: "p", lremovexattr: "p",
  socket: "", connect: "ns", bind: "ns", sendto: "nbnns", sendmmsg: "nm",
  setuid: "", setgid: "", setreuid: "", setregid: "", setresuid: "", setresgid: "", setgroups: "",
};

/** Beside them, where everything that is used counts: which folders are listed. */
const LISTING: Record<string, string> = { getdents64: "f", fchown: "f" };

/** Bytes of struct watch_call. */
const CALL_SIZE = 12;

export interface WatchedCall {
  name: string;
  number: number;
  kinds: string;
}

/** The watched calls that this machine has. */
export function listWatchedCalls(arch: HostArch, withListing: boolean): WatchedCall[] {
  const numbers = readSyscalls(arch);
  return Object.entries(withListing ? { ...WATCHED, ...LISTING } : WATCHED).flatMap(([name, kinds]) => {
    const number = numbers.get(name);
    return number === undefined ? [] : [{ name, number, kinds }];
  });
}

/** An array of struct watch_call. */
export function encodeWatchedCalls(calls: readonly WatchedCall[]): Uint8Array {
  const bytes = Buffer.alloc(calls.length * CALL_SIZE);
  for (const [index, { number, kinds }] of calls.entries()) {
    bytes.writeUInt32LE(number, index * CALL_SIZE);
    for (const [argument, letter] of [...kinds].entries()) bytes[index * CALL_SIZE + 4 + argument] = KINDS[letter] ?? 0;
  }
  return bytes;
}
