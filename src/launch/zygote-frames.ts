import { constants } from "node:os";
import { FAILED_FIELDS } from "../plan/format.js";
import type { FailureRecord } from "./describe-failure.js";

/** The frames of launcher/zygote.h. */
export const REQUEST = { RUN: 1, STDIN: 2, STDIN_END: 3, CREDIT: 4, SIGNAL: 5, KILL: 6, WINDOW: 7, CLOSE: 8 } as const;
export const ANSWER = {
  CREATED: 33, STARTED: 34, EXITED: 35, FAILED: 36, STOPPED: 37, STDOUT: 65, STDERR: 66, END: 67, STDIN_CREDITED: 68, GONE: 69,
} as const;

export const FRAME_SIZE = 12;
export const DATA_MAX = 16_384;
export const STDIN_CREDIT = 65_536;

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

export function makeFrame(type: number, run: number, body?: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_SIZE + (body?.length ?? 0));
  frame.writeUInt32LE(body?.length ?? 0, 0);
  frame.writeUInt32LE(type, 4);
  frame.writeUInt32LE(run, 8);
  if (body) frame.set(body, FRAME_SIZE);
  return frame;
}

/** RUN: `stdio` of STREAM, `credit` in bytes for each output. */
export function makeRunFrame(run: number, stdio: readonly [number, number, number], credit: number, plan: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_SIZE + 12 + plan.length);
  frame.writeUInt32LE(12 + plan.length, 0);
  frame.writeUInt32LE(REQUEST.RUN, 4);
  frame.writeUInt32LE(run, 8);
  frame.set([...stdio, 0], FRAME_SIZE);
  frame.writeUInt32LE(credit, FRAME_SIZE + 4);
  frame.writeUInt32LE(credit, FRAME_SIZE + 8);
  frame.set(plan, FRAME_SIZE + 12);
  return frame;
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
