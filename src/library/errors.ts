import { BrigError } from "../error/brig-error.js";
import type { ExecResult } from "./options.js";

/** A command ended badly and `check` was asked for. `code` is BRIG_EXIT. */
export class ExecError extends BrigError {
  override name = "ExecError";

  constructor(
    readonly command: readonly string[],
    readonly result: ExecResult<string | Uint8Array>,
  ) {
    super(`${JSON.stringify(command[0])} ${describeEnd(result)}${describeTails(result)}`, {
      code: "BRIG_EXIT",
      exitCode: result.exitCode ?? 125,
      hint: result.truncated ? "raise maxBuffer, or read the output of spawn as it comes" : undefined,
    });
  }
}

/** Somebody's AbortSignal ended it. `code` is BRIG_ABORTED, `cause` the signal's reason. */
export class AbortError extends BrigError {
  override name = "AbortError";

  constructor(reason: unknown) {
    super("the operation was aborted", { code: "BRIG_ABORTED", cause: reason });
  }
}

function describeEnd({ exitCode, signal, timedOut, oomKilled, truncated }: ExecResult<string | Uint8Array>): string {
  if (truncated) return "wrote more than maxBuffer and was ended";
  if (timedOut) return "did not end in time";
  if (oomKilled) return "was ended for lack of memory";
  return signal ? `was ended by ${signal}` : `exited with ${exitCode}`;
}

const TAIL = 2000;

function describeTails({ stdout, stderr }: ExecResult<string | Uint8Array>): string {
  const tail = (name: string, output: string | Uint8Array): string => {
    const text = (typeof output === "string" ? output : Buffer.from(output).toString("utf8")).trimEnd();
    return text === "" ? "" : `\n${name}: ${text.length > TAIL ? `…${text.slice(-TAIL)}` : text}`;
  };
  return tail("stderr", stderr) || tail("stdout", stdout);
}
