import { BrigError } from "../../error/brig-error.js";

/** Exit status of `docker network` when it refuses. */
const EXIT_REFUSED = 1;

export function networkError(code: string, message: string, hint?: string, cause?: unknown): BrigError {
  return new BrigError(message, { code, exitCode: EXIT_REFUSED, hint, cause });
}
