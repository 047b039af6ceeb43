import { setTimeout as sleep } from "node:timers/promises";
import { BrigError } from "../../error/brig-error.js";
import type { HttpAnswer } from "./http.js";

const ATTEMPTS = 6;
const FIRST_MS = Number(process.env["BRIG_REGISTRY_RETRY_MS"]) || 500;
const LONGEST_MS = 30_000;
const PASSING = [408, 429, 500, 502, 503, 504];
const PASSING_CODES = ["BRIG_REGISTRY_UNREACHABLE", "BRIG_REGISTRY_CUT"];
/** Of those, what does not pass by itself. */
const LASTING = ["ENOTFOUND", "ECONNREFUSED", "EPROTO"];

/** A failure that another try may mend, with how long the server asks to wait. */
export class PassingFailure extends Error {
  constructor(
    readonly error: Error,
    readonly waitMs?: number,
  ) {
    super(error.message);
  }
}

/** Tries again with growing pauses while what goes wrong is what passes. `attempt` starts over by itself. */
export async function retryPassing<T>(attempt: (count: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt(count);
    } catch (error) {
      signal?.throwIfAborted();
      const failure = error instanceof PassingFailure ? error : isPassing(error) ? new PassingFailure(error as Error) : undefined;
      if (!failure) throw error;
      if (count >= ATTEMPTS) throw failure.error;
      await sleep(failure.waitMs ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** (count - 1) * (0.75 + Math.random() / 2)), undefined, { signal: signal! });
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof BrigError) || !PASSING_CODES.includes(error.code)) return false;
  const { code = "" } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return !LASTING.includes(code) && !/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|SSL/.test(code);
}

export function isPassingStatus(status: number): boolean {
  return PASSING.includes(status);
}

/** What Retry-After says: seconds or a date (RFC 9110, 10.2.3); no server may send us to sleep for good. */
export function readRetryAfter({ headers }: Pick<HttpAnswer, "headers">, now = Date.now()): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) ? Math.min(LONGEST_MS, Math.max(0, wait)) : undefined;
}
