import { BrigError } from "../../error/brig-error.js";

/** Reads something, and says what when the kernel refuses. @throws BrigError BRIG_JAIL_UNREADABLE */
export function reading<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (error instanceof BrigError || code === undefined || code.startsWith("ERR_")) throw error;
    throw new BrigError(`cannot read ${JSON.stringify(path ?? "a file")}: ${message}`, {
      code: "BRIG_JAIL_UNREADABLE",
      hint: code === "EACCES" ? "run as a user who may read it" : undefined,
      cause: error,
    });
  }
}
