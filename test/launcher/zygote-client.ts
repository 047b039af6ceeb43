/** A client of the zygote, as plain as launcher/zygote.h: frames out, frames in. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { encodePlan } from "../../src/plan/encode.js";
import { LAUNCHER, makePlan, type PlanWish } from "./launch.js";

export const REQUEST = { RUN: 1, STDIN: 2, STDIN_END: 3, CREDIT: 4, SIGNAL: 5, KILL: 6, WINDOW: 7, CLOSE: 8 } as const;
export const ANSWER = { CREATED: 33, STARTED: 34, EXITED: 35, FAILED: 36, STOPPED: 37, STDOUT: 65, STDERR: 66, END: 67, STDIN_CREDITED: 68, GONE: 69 } as const;

export interface Outcome {
  status?: number;
  failed?: { error: number; operation: string; argument: string };
  stdout: Buffer;
  stderr: Buffer;
  types: number[];
}

interface Run extends Outcome {
  chunks: { stdout: Buffer[]; stderr: Buffer[] };
  onFrame?: ((type: number, body: Buffer) => void) | undefined;
  done: (outcome: Outcome) => void;
}

export class ZygoteClient {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  private readonly socket: Duplex;
  private readonly runs = new Map<number, Run>();
  private pending: Buffer = Buffer.alloc(0);
  private next = 1;

  constructor() {
    this.child = spawn(LAUNCHER, ["--zygote"], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
    this.socket = this.child.stdio[3] as Duplex;
    this.socket.on("data", (data: Buffer) => this.take(data));
    this.socket.on("error", () => undefined);
    this.exited = new Promise((done) => this.child.once("exit", (code) => done(code)));
  }

  send(type: number, run: number, body: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(body.length, 0);
    head.writeUInt32LE(type, 4);
    head.writeUInt32LE(run, 8);
    this.socket.write(Buffer.concat([head, body]));
  }

  /** Starts a run; `credit` bytes of each output may come at once. */
  start(plan: PlanWish | Uint8Array, options: { credit?: number; stdio?: number[]; parked?: boolean; onFrame?: (type: number, body: Buffer) => void } = {}): { id: number; outcome: Promise<Outcome> } {
    const id = this.next++;
    const head = Buffer.alloc(12);
    (options.stdio ?? [0, 0, 0]).forEach((kind, at) => head.writeUInt8(kind, at));
    head.writeUInt8(options.parked ? 1 : 0, 3);
    head.writeUInt32LE(options.credit ?? 0xffffffff, 4);
    head.writeUInt32LE(options.credit ?? 0xffffffff, 8);
    const outcome = new Promise<Outcome>((done) => {
      this.runs.set(id, { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), types: [], chunks: { stdout: [], stderr: [] }, onFrame: options.onFrame, done });
    });
    this.send(REQUEST.RUN, id, Buffer.concat([head, plan instanceof Uint8Array ? plan : encodePlan(makePlan(plan))]));
    return { id, outcome };
  }

  credit(id: number, stream: 1 | 2, bytes: number): void {
    const body = Buffer.alloc(8);
    body.writeUInt32LE(stream, 0);
    body.writeUInt32LE(bytes, 4);
    this.send(REQUEST.CREDIT, id, body);
  }

  signal(id: number, signal: number, group = 0): void {
    const body = Buffer.alloc(8);
    body.writeInt32LE(signal, 0);
    body.writeUInt32LE(group, 4);
    this.send(REQUEST.SIGNAL, id, body);
  }

  async close(): Promise<number | null> {
    this.socket.end();
    return await this.exited;
  }

  private take(data: Buffer): void {
    this.pending = this.pending.length ? Buffer.concat([this.pending, data]) : data;
    while (this.pending.length >= 12 && this.pending.length >= 12 + this.pending.readUInt32LE(0)) {
      const size = this.pending.readUInt32LE(0);
      this.frame(this.pending.readUInt32LE(4), this.pending.readUInt32LE(8), this.pending.subarray(12, 12 + size));
      this.pending = this.pending.subarray(12 + size);
    }
  }

  private frame(type: number, id: number, body: Buffer): void {
    const run = this.runs.get(id);
    if (!run) throw new Error(`a frame ${type} for run ${id}, which there is not`);
    run.types.push(type);
    if (type === ANSWER.STDOUT) run.chunks.stdout.push(Buffer.from(body));
    if (type === ANSWER.STDERR) run.chunks.stderr.push(Buffer.from(body));
    if (type === ANSWER.EXITED) run.status = body.readInt32LE(0);
    if (type === ANSWER.FAILED) run.failed = readFailure(body);
    run.onFrame?.(type, body);
    if (type === ANSWER.GONE) this.finish(id, run);
  }

  private finish(id: number, run: Run): void {
    this.runs.delete(id);
    run.stdout = Buffer.concat(run.chunks.stdout);
    run.stderr = Buffer.concat(run.chunks.stderr);
    run.done(run);
  }
}

function readFailure(body: Buffer): { error: number; operation: string; argument: string } {
  const text = (from: number, to: number): string => body.toString("utf8", from, to).replace(/\0.*$/s, "");
  return { error: body.readInt32LE(8), operation: text(16, 48), argument: text(48, 304) };
}
