import { untilInterrupted } from "../until-interrupted.js";

const INTERRUPTED = 130;

/** As `untilInterrupted`; an end by Ctrl-C is no error to speak of. */
export async function endQuietly(run: (signal: AbortSignal) => Promise<number | void>): Promise<number | void> {
  return await untilInterrupted(async (signal) => {
    try {
      return await run(signal);
    } catch (error) {
      if (signal.aborted) return INTERRUPTED;
      throw error;
    }
  });
}
