import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BrigError } from "../error/brig-error.js";
import { LineSplitter, type LogLine, parseLogLine } from "./log-line.js";
import { isAlive } from "./process.js";
import { isLive, readSandbox, type Sandbox } from "./sandbox.js";

/** A folder with a log, and the sandbox that writes it. */
export type LogPlace = Pick<Sandbox, "folder" | "runFolder" | "id"> & { supervisor?: Sandbox["supervisor"] };

export interface LogOptions {
  /** Goes on until the sandbox ends. */
  follow?: boolean;
  /** Only this many lines of what there is at the start. */
  tail?: number;
  /** Only lines of this time (milliseconds since the epoch) or later, and of this or before. */
  sinceMs?: number;
  untilMs?: number;
  /** Ends following. */
  signal?: AbortSignal;
}

const FOLLOW_MS = 50;

/**
 * The lines of a sandbox's log in their order, those of the rotated file first. A file that is rotated while it is
 * followed is read to its end before the next.
 * @throws BrigError BRIG_NO_LOG
 */
export async function* readLogs(sandbox: LogPlace, options: LogOptions = {}): AsyncGenerator<LogLine> {
  const reader = new LogReader(sandbox.folder);
  try {
    const first = [...reader.read()].filter((line) => isWithin(line, options));
    yield* options.tail === undefined ? first : takeLast(first, options.tail);
    while (options.follow && !options.signal?.aborted) {
      // its end is looked up before the last reading, so that nothing comes behind that
      const over = hasEnded(sandbox);
      for (const line of reader.read()) if (isWithin(line, options)) yield line;
      if (over) return;
      await sleep(FOLLOW_MS, undefined, options.signal ? { signal: options.signal } : {}).catch(() => undefined);
    }
  } finally {
    reader.close();
  }
}

function isWithin({ time }: LogLine, { sinceMs, untilMs }: LogOptions): boolean {
  if (sinceMs === undefined && untilMs === undefined) return true;
  const at = Date.parse(`${time.slice(0, 23)}Z`);
  return at >= (sinceMs ?? -Infinity) && at <= (untilMs ?? Infinity);
}

/** Pieces of a long line are part of the line that they belong to. */
function takeLast(lines: LogLine[], count: number): LogLine[] {
  let from = lines.length;
  for (let left = count; from > 0; from--) if (lines[from - 1]!.whole && left-- === 0) break;
  return lines.slice(from);
}

/** The monitor closes the log before it tells the end, and goes after that. */
function hasEnded(sandbox: LogPlace): boolean {
  if (sandbox.supervisor) return !isAlive(sandbox.supervisor);
  const now = readSandbox(sandbox.runFolder, sandbox.id);
  return !now || !isLive(now);
}

class LogReader {
  readonly #path: string;
  #descriptor = -1;
  #old: number | undefined;
  readonly #splitter = new LineSplitter();

  constructor(folder: string) {
    this.#path = `${folder}/log`;
    this.#old = openLog(`${this.#path}.1`);
    const opened = openLog(this.#path);
    if (opened === undefined) {
      this.close();
      throw new BrigError(`${folder} has no log`, { code: "BRIG_NO_LOG", hint: "only a detached sandbox has one: brig run --detach" });
    }
    this.#descriptor = opened;
    // it was rotated between the two: what was the log is the old one now
    if (this.#old !== undefined && isSame(this.#old, this.#descriptor)) this.#old = undefined;
  }

  *read(): Generator<LogLine> {
    if (this.#old !== undefined) {
      yield* this.#readFrom(this.#old);
      closeSync(this.#old);
      this.#old = undefined;
    }
    for (;;) {
      const rotated = isRotated(this.#path, this.#descriptor);
      yield* this.#readFrom(this.#descriptor);
      const next = rotated ? openLog(this.#path) : undefined;
      if (next === undefined) return;
      closeSync(this.#descriptor);
      this.#descriptor = next;
    }
  }

  *#readFrom(descriptor: number): Generator<LogLine> {
    for (;;) {
      const chunk = Buffer.allocUnsafe(65_536);
      const size = readSync(descriptor, chunk);
      if (size === 0) return;
      for (const line of this.#splitter.push(chunk.subarray(0, size))) {
        const parsed = parseLogLine(line);
        if (parsed) yield parsed;
      }
    }
  }

  close(): void {
    if (this.#old !== undefined) closeSync(this.#old);
    this.#old = undefined;
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

function isSame(a: number, b: number): boolean {
  return fstatSync(a).ino === fstatSync(b).ino;
}

/** Another file has the name: this one gets no more lines. */
function isRotated(path: string, descriptor: number): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.ino !== fstatSync(descriptor).ino;
}
