import { BrigError } from "../../error/brig-error.js";

/** An answer about an image, worded as systemd-machined words it. */
export function imageError(message: string, code: string, hint?: string): BrigError {
  return new BrigError(message, { code, exitCode: 1, hint });
}

export function noSuchImage(name: string): BrigError {
  return imageError(`No image '${name}' known`, "BRIG_NO_SUCH_IMAGE", "brig machinectl list-images lists them");
}
