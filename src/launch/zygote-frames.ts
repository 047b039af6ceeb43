import { constants } from "node:os";
import { FAILED_FIELDS } from "../plan/format.js";
import type { FailureRecord } from "./describe-failure.js";

/** The frames of launcher/zygote.h. */
export const REQUEST = { RUN: 1, STDIN: 2, STDIN_END: 3, CREDIT: 4, SIGNAL: 5, KILL: 6, WINDOW: 7, CLOSE: 8, ARM: 9 } as const;
export const ANSWER = {
  CREATED: 33, STARTED: 34, EXITED: 35, FAILED: 36, STOPPED: 37, STDOUT: 65, STDERR: 66, END: 67, STDIN_CREDITED: 68, GONE: 69,
} as const;

export const FRAME_SIZE = 12;
export const DATA_MAX = 16_384;
export const STDIN_CREDIT = 65_536;
const ORDERS_SIZE = 24;

/** What becomes of one of the payload's standard streams: ZYGOTE_PIPE… */
export const STREAM = { pipe: 0, ignore: 1, inherit: 2, same: 3 } as const;

/** How a run ended: struct record_exited. */
export interface Exit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  oomKilled: boolean;
  /** Milliseconds, of the whole sandbox. */
  wallMs: number;
  userMs: number;
  systemMs: number;
  maxRssKb: number;
}

export interface RunStreams {
  /** Of STREAM, for descriptors 0, 1, 2. */
  stdio: readonly [number, number, number];
  /** Bytes of each output that may come before more are allowed. */
  credit: number;
  /** Made up to its exec, where it waits for ARM. */
  parked?: boolean;
}

export function makeFrame(type: number, run: number, body?: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_SIZE + (body?.length ?? 0));
  frame.writeUInt32LE(body?.length ?? 0, 0);
  frame.writeUInt32LE(type, 4);
  frame.writeUInt32LE(run, 8);
  if (body) frame.set(body, FRAME_SIZE);
  return frame;
}

/** RUN: `stdio` of STREAM, `credit` in bytes for each output, `parked`: it waits for ARM. */
export function makeRunFrame(run: number, { stdio, credit, parked = false }: RunStreams, plan: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_SIZE + 12 + plan.length);
  frame.writeUInt32LE(12 + plan.length, 0);
  frame.writeUInt32LE(REQUEST.RUN, 4);
  frame.writeUInt32LE(run, 8);
  frame.set([...stdio, parked ? 1 : 0], FRAME_SIZE);
  frame.writeUInt32LE(credit, FRAME_SIZE + 4);
  frame.writeUInt32LE(credit, FRAME_SIZE + 8);
  frame.set(plan, FRAME_SIZE + 12);
  return frame;
}

/** What a parked run is to execute, as struct zygote_arm. */
export interface Orders {
  /** Absolute paths, tried in this order. */
  candidates: readonly string[];
  argv: readonly string[];
  /** "NAME=value". */
  env: readonly string[];
  /** 0: none. */
  timeoutMs: number;
  graceMs: number;
}

/** ARM's body, or nothing where it would be larger than a frame, or an argument holds a NUL. */
export function encodeOrders({ candidates, argv, env, timeoutMs, graceMs }: Orders): Buffer | undefined {
  const strings = [...candidates, ...argv, ...env];
  if (strings.length > DATA_MAX || strings.some((string) => string.includes("\0"))) return undefined;
  const text = `${strings.join("\0")}\0`;
  const size = ORDERS_SIZE + Buffer.byteLength(text);
  if (size > DATA_MAX) return undefined;
  const body = Buffer.allocUnsafe(size);
  body.writeBigUInt64LE(BigInt(timeoutMs), 0);
  body.writeUInt32LE(Math.min(graceMs, 0xffffffff), 8);
  [candidates, argv, env].forEach((list, index) => body.writeUInt32LE(list.length, 12 + 4 * index));
  body.write(text, ORDERS_SIZE);
  return body;
}

export function makeNumbers(...numbers: number[]): Buffer {
  const body = Buffer.allocUnsafe(4 * numbers.length);
  numbers.forEach((number, index) => body.writeInt32LE(number | 0, 4 * index));
  return body;
}

export function readCreated(body: Buffer): { id: string; pid: number } {
  return { id: readText(body, 0, 64), pid: body.readInt32LE(64) };
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

/** A signal's name; real-time ones have none in Node and are told by their number. */
export function nameSignal(number: number): NodeJS.Signals {
  return SIGNALS.get(number) ?? (`SIG${number}` as NodeJS.Signals);
}

export function readExit(body: Buffer): Exit {
  const status = body.readInt32LE(0);
  const signal = status & 0x7f;
  return {
    exitCode: signal ? null : (status >> 8) & 0xff,
    signal: signal ? nameSignal(signal) : null,
    oomKilled: body.readUInt32LE(4) !== 0,
    timedOut: body.readUInt32LE(8) !== 0,
    wallMs: Number(body.readBigUInt64LE(16)) / 1000,
    userMs: Number(body.readBigUInt64LE(24)) / 1000,
    systemMs: Number(body.readBigUInt64LE(32)) / 1000,
    maxRssKb: Number(body.readBigUInt64LE(40)),
  };
}

export function readFailure(body: Buffer): FailureRecord {
  const { step, op, error, operation, argument } = FAILED_FIELDS;
  return {
    step: body.readUInt32LE(step),
    op: body.readUInt32LE(op),
    errno: body.readInt32LE(error),
    operation: readText(body, operation, argument),
    argument: readText(body, argument, body.length),
  };
}

function readText(body: Buffer, from: number, to: number): string {
  const end = body.indexOf(0, from);
  return body.toString("utf8", from, end < 0 || end > to ? to : end);
}
