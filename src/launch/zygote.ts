import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { BrigError } from "../error/brig-error.js";
import type { FailureRecord } from "./describe-failure.js";
import { findLauncher } from "./find-launcher.js";
import { ANSWER, DATA_MAX, type Exit, FRAME_SIZE, makeFrame, makeNumbers, makeRunFrame, readCreated, readExit, readFailure, REQUEST, type RunStreams, STDIN_CREDIT } from "./zygote-frames.js";

/** What a run tells. `gone` or `died` comes last, and one of the two always comes. */
export interface RunEvents {
  created?(id: string, pid: number): void;
  started?(): void;
  exited?(exit: Exit): void;
  failed?(failure: FailureRecord): void;
  stopped?(signal: number): void;
  /** Bytes of standard output (1) or error (2), which the events' owner keeps: they were copied. */
  output?(stream: 1 | 2, data: Buffer): void;
  /** The stream's last byte has come; 0: the payload has closed its input. */
  ended?(stream: 0 | 1 | 2): void;
  /** More input may be written. */
  drained?(): void;
  gone(): void;
  /** The launcher ended, and every sandbox with it. */
  died(error: BrigError): void;
}

/** One sandbox, or one more process in a sandbox, that the zygote runs. */
export class ZygoteRun {
  #credit = STDIN_CREDIT;
  #over = false;
  #referenced = true;

  constructor(
    private readonly zygote: Zygote,
    private readonly number: number,
    public events: RunEvents,
  ) {}

  /** Bytes of input that may be written now. */
  get writable(): number {
    return this.#credit;
  }

  /** Writes input; never more than `writable`. */
  write(data: Uint8Array): void {
    this.#credit -= data.length;
    for (let at = 0; at < data.length; at += DATA_MAX) this.#send(REQUEST.STDIN, data.subarray(at, at + DATA_MAX));
  }

  endInput(): void {
    this.#send(REQUEST.STDIN_END);
  }

  /** That many more bytes of output 1 or 2 may come. */
  credit(stream: 1 | 2, bytes: number): void {
    this.#send(REQUEST.CREDIT, makeNumbers(stream, bytes));
  }

  /** To the payload, or its process group. */
  signal(number: number, group: boolean): void {
    this.#send(REQUEST.SIGNAL, makeNumbers(number, group ? 1 : 0));
  }

  /** Ends all of it, at once. */
  kill(): void {
    this.#send(REQUEST.KILL);
  }

  resize(rows: number, columns: number): void {
    this.#send(REQUEST.WINDOW, new Uint8Array(Uint16Array.of(rows, columns).buffer));
  }

  /** Ends all of it and lets go of its streams: nothing but `gone` follows. */
  close(): void {
    this.#send(REQUEST.CLOSE);
  }

  /** Tells a run that was started as parked what to execute, once: `encodeOrders`. Its events come to whoever has set `events` by the next turn. */
  arm(orders: Uint8Array): void {
    this.#send(REQUEST.ARM, orders);
  }

  /** Whether this process stays alive for it. It does until it is told otherwise. */
  reference(wanted: boolean): void {
    if (this.#over || wanted === this.#referenced) return;
    this.#referenced = wanted;
    this.zygote.countReferences(wanted ? 1 : -1);
  }

  /** For the zygote alone. */
  take(type: number, body: Buffer): void {
    const { events } = this;
    switch (type) {
      case ANSWER.STDOUT: return events.output?.(1, Buffer.from(body));
      case ANSWER.STDERR: return events.output?.(2, Buffer.from(body));
      case ANSWER.END: return events.ended?.(body.readUInt32LE(0) as 0 | 1 | 2);
      case ANSWER.STDIN_CREDITED:
        this.#credit += body.readUInt32LE(0);
        return events.drained?.();
      case ANSWER.CREATED: {
        const { id, pid } = readCreated(body);
        return events.created?.(id, pid);
      }
      case ANSWER.STARTED: return events.started?.();
      case ANSWER.EXITED: return events.exited?.(readExit(body));
      case ANSWER.FAILED: return events.failed?.(readFailure(body));
      case ANSWER.STOPPED: return events.stopped?.(body.readInt32LE(0));
    }
  }

  finish(error?: BrigError): void {
    this.reference(false);
    this.#over = true;
    if (error) this.events.died(error);
    else this.events.gone();
  }

  #send(type: number, body?: Uint8Array): void {
    if (!this.#over) this.zygote.send(makeFrame(type, this.number, body));
  }
}

/**
 * One launcher as the parent of sandboxes (launcher/zygote.h): a fork of Node itself would copy its page tables and
 * stand still meanwhile. It dies with this process, and all its sandboxes with it; it keeps no process alive that has
 * nothing else to do.
 */
export class Zygote {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #runs = new Map<number, ZygoteRun>();
  #next = 1;
  #references = 0;
  #pending: Buffer = Buffer.alloc(0);
  #ended: BrigError | undefined;

  constructor(launcher: string = findLauncher()) {
    this.#child = spawn(launcher, ["--zygote"], { stdio: ["inherit", "inherit", "inherit", "pipe"], cwd: "/" });
    this.#socket = this.#child.stdio[3] as Socket;
    this.#child.on("error", (cause) => this.#end(launcher, cause)).unref();
    this.#socket.on("data", (data: Buffer) => this.#take(data));
    this.#socket.on("error", () => undefined).on("close", () => this.#end(launcher));
    this.#socket.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Nothing more can be started here. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Starts an encoded plan. @throws BrigError BRIG_LAUNCHER_DIED */
  start(plan: Uint8Array, streams: RunStreams, events: RunEvents): ZygoteRun {
    if (this.#ended) throw this.#ended;
    const number = this.#takeNumber();
    const run = new ZygoteRun(this, number, events);
    this.#runs.set(number, run);
    this.countReferences(1);
    this.send(makeRunFrame(number, streams, plan));
    return run;
  }

  /** Ends the launcher and every sandbox of it. */
  close(): void {
    this.#ended ??= new BrigError("brig's launcher was closed", { code: "BRIG_CLOSED", hint: "use another Brig, or do not dispose of this one yet" });
    this.#socket.destroy();
  }

  /** For its runs alone. */
  send(frame: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(frame);
  }

  countReferences(change: number): void {
    this.#references += change;
    if (this.#references > 0) this.#socket.ref();
    else this.#socket.unref();
  }

  #takeNumber(): number {
    while (this.#runs.has(this.#next)) this.#next = (this.#next % 0xffffffff) + 1;
    const number = this.#next;
    this.#next = (this.#next % 0xffffffff) + 1;
    return number;
  }

  #take(data: Buffer): void {
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, data]) : data;
    while (bytes.length >= FRAME_SIZE) {
      const size = FRAME_SIZE + bytes.readUInt32LE(0);
      if (bytes.length < size) break;
      this.#deliver(bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.subarray(FRAME_SIZE, size));
      bytes = bytes.subarray(size);
    }
    this.#pending = bytes;
  }

  #deliver(type: number, number: number, body: Buffer): void {
    const run = this.#runs.get(number);
    if (type !== ANSWER.GONE) return run?.take(type, body);
    this.#runs.delete(number);
    run?.finish();
  }

  #end(launcher: string, cause?: Error): void {
    const { exitCode, signalCode } = this.#child;
    const how = cause ? `cannot be started: ${cause.message}` : `ended${signalCode ? ` by ${signalCode}` : exitCode ? ` with ${exitCode}` : ""}`;
    this.#ended ??= new BrigError(`brig's launcher ${launcher} ${how}`, {
      code: "BRIG_LAUNCHER_DIED",
      hint: "its sandboxes ended with it; the next call starts another",
      cause,
    });
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const run of runs) run.finish(this.#ended);
  }
}
