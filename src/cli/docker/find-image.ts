import type { UnpackedImage } from "../../container/create.js";
import { BrigError } from "../../error/brig-error.js";
import type { ParsedWords } from "../grammar.js";

/** The image of that name, pulled where `--pull` says so or it is missing. */
export async function findImage(reference: string, _words: ParsedWords): Promise<UnpackedImage> {
  throw new BrigError(`no image ${reference}`, { code: "BRIG_NO_SUCH_IMAGE", exitCode: 125 });
}
