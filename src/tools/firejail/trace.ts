import type { PathLook, WatchEvent } from "../../plan/watch/events.js";

/** What firejail's tracing library calls a system call; others stand under their own name. */
const NAMES: Record<string, string> = {
  openat: "open", openat2: "open", creat: "open", newfstatat: "stat", statx: "stat", lstat: "stat", faccessat: "access", faccessat2: "access",
  execve: "exec", execveat: "exec", mkdirat: "mkdir", unlinkat: "unlink", renameat: "rename", renameat2: "rename", readlinkat: "readlink",
  linkat: "link", symlinkat: "symlink", fchmodat: "chmod", fchmodat2: "chmod", fchownat: "chown", utimensat: "utime", mknodat: "mknod",
};
const FAMILIES: Record<number, string> = { 1: "AF_LOCAL", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 31: "AF_BLUETOOTH" };
const TYPES: Record<number, string> = { 1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET" };
const O_CREAT = 0o100;

/**
 * A call as firejail --trace tells it: "PID:PROGRAM:CALL WHAT:RESULT", with the pid that the sandbox knows. The call is
 * told before the kernel does it, so that the result is what is to be expected: 0, or -1 where it fails.
 */
export function renderTrace(event: WatchEvent, pid: number, showText: (text: string) => string): string[] {
  const head = `${pid}:${showText(event.program)}:`;
  if (event.call === "socket") return [`${head}socket ${describeSocket(event)}:${isRefused(event) ? -1 : 0}`];
  if (event.call === "connect" || event.call === "bind") return [`${head}${event.call} ${Number(event.args[0])} ${showText(describeAddress(event))}:${isRefused(event) ? -1 : 0}`];
  const name = NAMES[event.call] ?? event.call;
  if (event.paths.length === 0) return isRefused(event) ? [`${head}${name}:-1`] : [];
  return [`${head}${name} ${event.paths.map(({ asked }) => showText(asked)).join(" ")}:${event.paths.every((look) => works(event, look)) && !isRefused(event) ? 0 : -1}`];
}

function isRefused({ answer }: WatchEvent): boolean {
  return answer !== 0x7fff_0000 && answer !== 0x7ffc_0000;
}

function works(event: WatchEvent, look: PathLook): boolean {
  const makes = /^(mkdir|mknod|symlink|link)/.test(event.call) || (event.call.startsWith("rename") && look !== event.paths[0]) || creates(event);
  if (look.error !== 0) return makes && look.what === "parent" && look.write === 0;
  if (event.call.startsWith("exec")) return look.execute === 0;
  if (!/^(open|creat)/.test(event.call)) return true;
  return readFlags(event) & 3 ? look.write === 0 : look.read === 0;
}

function creates(event: WatchEvent): boolean {
  return event.call === "creat" || (event.call.startsWith("open") && (readFlags(event) & O_CREAT) !== 0);
}

function readFlags({ call, args, bytes }: WatchEvent): number {
  if (call === "open") return Number(args[1]);
  return call === "openat2" ? Number(bytes.get(2)?.readUInt8(0) ?? 0) : call === "creat" ? 1 : Number(args[2]! & 0xffff_ffffn);
}

function describeSocket({ args }: WatchEvent): string {
  const [family = 0, type = 0, protocol = 0] = args.map(Number);
  return `${FAMILIES[family] ?? family} ${TYPES[type & 0xf] ?? type} ${protocol}`;
}

/** "127.0.0.1 port 53", a path, or "@abstract". */
function describeAddress(event: WatchEvent): string {
  const bytes = event.addresses.get(1);
  if (!bytes || bytes.length < 2) return "?";
  const family = bytes.readUInt16LE(0);
  if (family === 2 && bytes.length >= 8) return `${bytes.subarray(4, 8).join(".")} port ${bytes.readUInt16BE(2)}`;
  if (family === 10 && bytes.length >= 24) return `${(bytes.toString("hex", 8, 24).match(/.{4}/g) ?? []).join(":")} port ${bytes.readUInt16BE(2)}`;
  const path = bytes.toString("utf8", 2);
  if (family === 1) return path.startsWith("\0") ? `@${path.slice(1)}` : path.replace(/\0.*$/s, "");
  return FAMILIES[family] ?? `family ${family}`;
}
