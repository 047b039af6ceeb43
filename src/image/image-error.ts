import { BrigError } from "../error/brig-error.js";

/** What goes wrong with images ends docker's commands with status 1. */
export function imageError(code: string, message: string, hint?: string, cause?: unknown): BrigError {
  return new BrigError(message, { code, hint, cause, exitCode: 1 });
}

/** A full disk, a read-only one, missing rights: in words, with the path. */
export function explainFileError(error: unknown, what: string): BrigError {
  if (error instanceof BrigError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return imageError("BRIG_NO_SPACE", `${what}: no space is left on the disk`, "brig system df shows what takes it, brig image prune frees some", error);
  return imageError("BRIG_IMAGE_STORE", `${what}: ${message}`, undefined, error);
}
