import { BrigError } from "../../error/brig-error.js";

/** machinectl's exit status for whatever went wrong. */
export const EXIT_FAILURE = 1;

/** A refusal in machinectl's own words, which scripts may read. */
export function machinectlError(message: string, code = "BRIG_BAD_OPTION", hint?: string): BrigError {
  return new BrigError(message, { code, exitCode: EXIT_FAILURE, hint });
}
