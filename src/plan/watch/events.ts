import { AUDIT_ARCH } from "../seccomp/architectures.js";
import { type SyscallTable, readSyscalls } from "../seccomp/tables.js";

/** How a path looked to the payload when it asked: struct watch_path of launcher/plan.h. */
export interface PathLook {
  /** Which of the call's arguments it is. */
  argument: number;
  /** Absolute, in the payload's root. */
  asked: string;
  /** The name inside of what was found, "" when nothing was. */
  found: string;
  /** What the facts are of: the file, a link that leads nowhere, the folder that the file would stand in, or nothing. */
  what: "it" | "link" | "parent" | "nothing";
  /** errno of looking it up inside, or 0. */
  error: number;
  /** Mode with type. */
  mode: number;
  /** errno of asking for each with the payload's identity, or 0. */
  read: number;
  write: number;
  execute: number;
}

/** A watched call, before the kernel did it: struct watch_event. */
export interface WatchEvent {
  /** The thread, as the supervisor sees it. */
  pid: number;
  /** The same as the sandbox counts it; as the supervisor does where that could not be read. */
  inner: number;
  /** Its name (proc_pid_comm(5)). */
  program: string;
  /** "openat", or "call 999" where no table has it. */
  call: string;
  number: number;
  /** AUDIT_ARCH_*. */
  arch: number;
  args: bigint[];
  /** What the filter says to it: SECCOMP_RET_*. */
  answer: number;
  paths: PathLook[];
  /** Contents of buffers and socket addresses, names of descriptors, by argument. */
  bytes: Map<number, Buffer>;
  addresses: Map<number, Buffer>;
  descriptors: Map<number, string>;
}

const HEAD = 88;
const PART = 8;
const LOOK = 24;
/** A report is a few paths long: what claims to be more is no report. */
const MAX_SIZE = 1 << 20;
const FOUND = ["it", "link", "parent", "nothing"] as const;
const [PATH, ADDRESS, BYTES, DESCRIPTOR] = [2, 3, 4, 6];

/** Takes what has come so far; returns the whole events in it, and keeps the rest for the next time. */
export class EventReader {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): WatchEvent[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const events: WatchEvent[] = [];
    let at = 0;
    while (bytes.length - at >= HEAD) {
      const size = bytes.readUInt32LE(at);
      if (size < HEAD || size > MAX_SIZE) throw new RangeError(`a report of ${size} bytes`);
      if (bytes.length - at < size) break;
      events.push(readEvent(bytes.subarray(at, at + size)));
      at += size;
    }
    this.rest = Buffer.from(bytes.subarray(at));
    return events;
  }
}

function readEvent(bytes: Buffer): WatchEvent {
  const number = bytes.readUInt32LE(8);
  const arch = bytes.readUInt32LE(12);
  const event: WatchEvent = {
    pid: bytes.readUInt32LE(4), inner: bytes.readUInt32LE(68) || bytes.readUInt32LE(4), number, arch, call: nameCall(arch, number),
    args: [0, 1, 2, 3, 4, 5].map((index) => bytes.readBigUInt64LE(16 + 8 * index)),
    answer: bytes.readUInt32LE(64),
    program: readText(bytes, 72, 88),
    paths: [], bytes: new Map(), addresses: new Map(), descriptors: new Map(),
  };
  for (let at = HEAD; at + PART <= bytes.length; ) at = readPart(event, bytes, at);
  return event;
}

function readPart(event: WatchEvent, bytes: Buffer, at: number): number {
  const argument = bytes.readUInt16LE(at);
  const kind = bytes.readUInt16LE(at + 2);
  const from = at + PART;
  const end = Math.min(from + bytes.readUInt32LE(at + 4), bytes.length);
  if (kind === PATH) event.paths.push(readLook(bytes.subarray(from, end), argument));
  else if (kind === ADDRESS) event.addresses.set(argument, Buffer.from(bytes.subarray(from, end)));
  else if (kind === BYTES) event.bytes.set(argument, Buffer.from(bytes.subarray(from, end)));
  else if (kind === DESCRIPTOR) event.descriptors.set(argument, readText(bytes, from, end));
  return end;
}

function readLook(body: Buffer, argument: number): PathLook {
  const asked = simplifyPath(readText(body, LOOK, body.length));
  const behind = body.indexOf(0, LOOK) + 1;
  return {
    argument, asked, found: readText(body, behind, body.length),
    error: body.readInt32LE(0), what: FOUND[body.readUInt32LE(4)] ?? "nothing", mode: body.readUInt32LE(8),
    read: body.readInt32LE(12), write: body.readInt32LE(16), execute: body.readInt32LE(20),
  };
}

/** Without empty names and "."; ".." behind a link is for the kernel to resolve, and stays. */
function simplifyPath(path: string): string {
  return `/${path.split("/").filter((name) => name !== "" && name !== ".").join("/")}`;
}

/** Up to a NUL or the end. */
function readText(bytes: Buffer, from: number, end: number): string {
  const part = bytes.subarray(from, end);
  const nul = part.indexOf(0);
  return part.toString("utf8", 0, nul < 0 ? part.length : nul);
}

const names = new Map<number, Map<number, string>>();

function nameCall(arch: number, number: number): string {
  let table = names.get(arch);
  if (!table) {
    const found = (Object.keys(AUDIT_ARCH) as SyscallTable[]).find((name) => AUDIT_ARCH[name] === arch);
    names.set(arch, (table = new Map(found ? [...readSyscalls(found)].map(([name, nr]) => [nr, name]) : [])));
  }
  return table.get(number) ?? `call ${number}`;
}
