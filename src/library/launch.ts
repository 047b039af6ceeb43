import { BrigError } from "../error/brig-error.js";
import { describeFailure, type FailureRecord } from "../launch/describe-failure.js";
import type { RunEvents, Zygote, ZygoteRun } from "../launch/zygote.js";
import { type Exit, type RunStreams, STREAM } from "../launch/zygote-frames.js";
import { decodePlan } from "../plan/decode.js";
import { encodePlan } from "../plan/encode.js";
import { operationByName } from "../plan/operations.js";
import type { Plan } from "../plan/plan.js";
import { AbortError } from "./errors.js";

/** What is started: a plan as bytes, and the same to speak about. */
export interface Launchable {
  readonly bytes: Uint8Array;
  /** Another way than to start the bytes, where there is one. */
  begin?: (zygote: Zygote, streams: RunStreams) => ZygoteRun | undefined;
  /** Nothing of it is left on the host; the last thing that is told. */
  gone?: () => void;
  /** With the same steps. */
  plan: Plan;
  /** What a failure really means: the sandbox to be joined may be gone. */
  blame?: (failure: BrigError) => BrigError;
}

export interface LaunchEvents {
  created?(id: string, pid: number): void;
  started?(): void;
  output?(stream: 1 | 2, data: Buffer): void;
  ended?(stream: 0 | 1 | 2): void;
  drained?(): void;
  /** Its process has ended, though somebody may still hold or have to read its streams; not behind a failure. */
  exited?(exit: Exit | undefined, error: Error | undefined): void;
  /** Over, with all its streams: an exit, or why there is none. Always the last, once. */
  over(exit: Exit | undefined, error: Error | undefined): void;
}

/** Starts a plan. An abort ends it at once, and is what it is over with. */
export function launch(zygote: Zygote, what: Launchable, streams: RunStreams, signal: AbortSignal | undefined, events: LaunchEvents): ZygoteRun {
  if (signal?.aborted) throw new AbortError(signal.reason);
  const begun = what.begin?.(zygote, streams); // first: it is under way while the rest is made ready
  let exit: Exit | undefined;
  let error: Error | undefined;
  let over = false;
  const open = new Set(([1, 2] as const).filter((stream) => streams.stdio[stream] === STREAM.pipe));
  const finish = (cause?: Error): void => {
    signal?.removeEventListener("abort", abort);
    if (!over) events.over(exit, error ?? cause ?? (exit ? undefined : makeLost()));
    over = true;
  };
  const handlers: RunEvents = {
    ...events,
    exited: (record) => {
      exit = record;
      events.exited?.(exit, error);
      if (open.size === 0) finish();
    },
    ended: (stream) => {
      events.ended?.(stream);
      if (stream !== 0) open.delete(stream);
      if (exit && open.size === 0) finish();
    },
    failed: (record) => void (error ??= explainFailure(what, record)),
    gone: () => {
      finish();
      what.gone?.();
    },
    died: (cause) => finish(cause),
  };
  const run = begun ?? zygote.start(what.bytes, streams, handlers);
  run.events = handlers;
  const abort = (): void => {
    error = new AbortError(signal?.reason);
    run.kill();
  };
  signal?.addEventListener("abort", abort, { once: true });
  return run;
}

function makeLost(): BrigError {
  return new BrigError("the sandbox's supervisor was lost", { code: "BRIG_LAUNCHER_DIED", hint: "something killed it; everything in the sandbox ended with it" });
}

const NOT_THERE = [2, 20]; // ENOENT, ENOTDIR

/** A program that is not there has a code of its own. */
function explainFailure({ plan, blame }: Launchable, record: FailureRecord): BrigError {
  const error = describeFailure(decodePlan(encodePlan(plan)).note, record);
  if (record.op !== operationByName("EXEC").number) return blame?.(error) ?? error;
  if (!NOT_THERE.includes(record.errno)) return error;
  return new BrigError(error.message, { code: "BRIG_NOT_FOUND", hint: error.hint, origin: error.origin, exitCode: 127 });
}
