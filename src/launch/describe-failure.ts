import { BrigError } from "../error/brig-error.js";
import { type OperationName, operationByNumber } from "../plan/operations.js";
import type { Note } from "../plan/plan.js";
import type { Voice } from "../spec/extension.js";
import { describeOrigin, findOrigin } from "../spec/origin.js";
import { describeErrno, nameErrno } from "../error/errno.js";
import { findHint } from "./failure-hints.js";

/** struct record_failed of launcher/plan.h. */
export interface FailureRecord {
  /** Over all phases; 0xffffffff: outside of any step. */
  step: number;
  op: number;
  errno: number;
  /** The kernel's call, or the check that failed: "move_mount". */
  operation: string;
  /** On what; may be cut. */
  argument: string;
}

/**
 * A failed step in words: `cannot bind /srv (asked for by --read /srv): No such file or directory`, with a hint. A
 * program that cannot be executed has exit code 127 (not found) or 126, as in a shell.
 *
 * Where brig stands for another tool (`note.voice`) the message is the tool's own, with its prefix, and `exitCode` is
 * the tool's; it is to be printed as it stands.
 */
export function describeFailure(note: Note, record: FailureRecord): BrigError {
  const name = operationByNumber(record.op)?.name;
  const pointer = record.step === 0xffffffff ? undefined : note.pointers?.[note.steps?.[record.step] ?? -1];
  const found = pointer === undefined ? undefined : findOrigin(note.origins, pointer);
  const origin = found ? describeOrigin(found) : undefined;
  if (note.voice) return speakAsTool(note.voice, name, pointer, record);
  const asked = origin ? ` (asked for by ${origin})` : "";
  const message = describeDisplay(name, pointer, record, asked) ?? `cannot ${describeAttempt(name, record)}${asked}: ${describeReason(record)}`;
  const options = { code: `BRIG_${codeOf(name)}`, origin: origin ?? (name === "EXEC" ? undefined : pointer), hint: findHint(name, record.errno, record.operation) };
  return new BrigError(message, { ...options, exitCode: name === "EXEC" ? exitCodeOf(record.errno, 127, 126) : 125 });
}

function codeOf(name: OperationName | undefined): string {
  return name === "EXEC" ? "CANNOT_EXECUTE" : name ? `${name}_FAILED` : "LAUNCH_FAILED";
}

const ENOENT = 2;
const ENOTDIR = 20;

function exitCodeOf(errno: number, notFound: number, other: number): number {
  return errno === ENOENT || errno === ENOTDIR ? notFound : other;
}

/** The kernel's answer, and for a host program what it said. */
function describeReason({ errno, operation }: FailureRecord): string {
  if (operation === "run" && nameErrno(errno) === "ECHILD") return "it failed";
  return describeErrno(errno);
}

/** What was tried, by the operation, and on what. */
const ATTEMPTS: Partial<Record<OperationName, string>> = {
  OPEN: "open", OPEN_TREE: "bind", MOUNT_ATTR: "set how it is mounted", FS_MOUNT: "mount", MKDIR_HOST: "make the folder", WRITE_HOST: "write",
  MOUNT_HOST: "mount", UMOUNT_HOST: "unmount", STATE: "make the sandbox's state folder", NAME: "take the name", CGROUP: "make the cgroup",
  CGROUP_SET: "set the limit", CGROUP_ENTER: "enter the cgroup", CGROUP_OOM: "watch the memory cgroup", PROC_WRITE: "write the sandbox's",
  RUN: "run", RUN_INSIDE: "set up the network with", COMPANION: "set up the network with", IDMAP: "map the ids of the mount", BIND_NAMESPACE: "keep the namespace at", SELF_WRITE: "write the process's", SETNS: "join the namespace",
  UNSHARE: "make the new namespaces", FORK: "fork", LOOPBACK: "bring up the loopback link", NETWORK_START: "make the network namespace", NETWORK_JOIN: "make the network namespace", HOSTNAME: "set the host name", DOMAINNAME: "set the domain name",
  IDS: "become the sandbox's user", KEYRING: "make a session keyring", PROPAGATION: "set the propagation of", ROOT: "change the root to",
  ROOT_DETACH: "let go of the host's root", CHROOT: "change the root to", BIND: "bind", MOUNT: "mount", FS: "mount", ATTR: "change the mount", MASK: "hide",
  DIR: "make the folder", FILE: "write the file", SYMLINK: "make the link", NODE: "make the device", SYSCTL: "set the sysctl", PTY: "make a terminal",
  CWD: "change to the folder", RLIMIT: "set a resource limit", OOM_SCORE: "set the OOM score", NICE: "set the nice value", SCHEDULER: "set the scheduler",
  IO_PRIORITY: "set the I/O priority", AFFINITY: "set the processors", PERSONALITY: "set the personality", PARENT_DEATH: "set the parent-death signal",
  SESSION: "begin a session", CAPABILITIES: "set the capabilities", SECUREBITS: "set the secure bits", NO_NEW_PRIVS: "set no_new_privs",
  LANDLOCK: "set the Landlock rules", SECCOMP: "set the seccomp filter", EXEC: "execute", KEEP_FD: "keep the descriptor", FCHDIR: "go to the folder", JOIN: "join the sandbox of process", FILE_SERVER: "serve the sandbox's files", UNPACK: "unpack", PACK: "pack",
  LOCK_HOST: "lock", IMAGE: "mount the image", CGROUP_OWN: "hand over", UUID_FILE: "write the file", REPLACE: "write", NOTIFY: "make the socket", SETSID: "begin a session",
};

function describeAttempt(name: OperationName | undefined, { operation, argument }: FailureRecord): string {
  const attempt = name === undefined ? `start the sandbox (${operation})` : (ATTEMPTS[name] ?? name.toLowerCase());
  return argument === "" ? attempt : `${attempt} ${showName(argument)}`;
}

/** The programs that make a display say themselves what was wrong. */
function describeDisplay(name: OperationName | undefined, pointer: string | undefined, record: FailureRecord, asked: string): string | undefined {
  if (pointer !== "/annotations/dev.brig.display" || (name !== "RUN" && name !== "COMPANION")) return undefined;
  const said = record.argument.slice(record.argument.indexOf(": ") + 2);
  return `cannot give the payload a display${asked}: ${record.argument.includes(": ") ? showName(said) : `${describeAttempt(name, record)}: ${describeReason(record)}`}`;
}

/** Names come from anywhere: what would move the cursor or change colours is shown as JSON does. */
function showName(text: string): string {
  // eslint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? JSON.stringify(text) : text;
}

/** The saying of the setting itself, or of the nearest around it. */
function speakAsTool(voice: Voice, name: OperationName | undefined, pointer: string | undefined, record: FailureRecord): BrigError {
  const executing = name === "EXEC";
  const display = describeDisplay(name, pointer, record, "");
  if (display !== undefined) return new BrigError(`${voice.prefix}${display}`, { code: `BRIG_${codeOf(name)}`, exitCode: voice.exitCode });
  const saying = executing ? voice.exec.saying : (findSaying(voice, pointer, record.operation) ?? describeAttempt(name, record));
  const exitCode = executing ? exitCodeOf(record.errno, voice.exec.notFound, voice.exec.other) : voice.exitCode;
  const reason = voice.whole?.includes(saying) ? "" : `: ${describeReason(record)}`;
  return new BrigError(`${voice.prefix}${saying}${reason}`, { code: `BRIG_${codeOf(name)}`, exitCode });
}

function findSaying(voice: Voice, pointer: string | undefined, operation: string): string | undefined {
  if (pointer === undefined) return voice.sayings[""];
  const exact = voice.sayings[`${pointer}#${operation}`];
  if (exact !== undefined) return exact;
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const saying = Object.hasOwn(voice.sayings, at) ? voice.sayings[at] : undefined;
    if (saying !== undefined) return saying;
  }
  return voice.sayings[""];
}
