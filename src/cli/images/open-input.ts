import { createReadStream, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { imageError } from "../../image/image-error.js";

/** A file, or standard input for "-". @throws BrigError BRIG_CANNOT_READ */
export function openInput(file: string): Readable {
  if (file === "-") return createReadStream("", { fd: 0, autoClose: false, highWaterMark: 1 << 20 });
  try {
    return createReadStream("", { fd: openSync(file, "r"), highWaterMark: 1 << 20 });
  } catch (error) {
    throw imageError("BRIG_CANNOT_READ", `cannot open ${file}: ${(error as Error).message}`, undefined, error);
  }
}
