import { createWriteStream, renameSync, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { isatty } from "node:tty";
import { saveImages } from "../../image/archive/save.js";
import { imageError } from "../../image/image-error.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";

export const command: CommandForm = {
  name: "save",
  usage: ["save [-o FILE] IMAGE…"],
  description: "Writes images to one archive, which brig load, docker load, podman load and skopeo read: an OCI layout and docker's own form in one.",
  options: [
    { name: "output", short: "o", value: "FILE", help: "where to; standard output without it", complete: "path" },
  ],
  minOperands: 1,
  operands: "none",
  examples: [{ words: "brig save -o debian.tar debian:12", what: "to take along" }],
  run: (words) => endQuietly((signal) => save(words, signal)),
};

async function save(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const file = words.value("output");
  if (file === undefined && isatty(1)) throw imageError("BRIG_BAD_USAGE", "cowardly refusing to save to a terminal. Use the -o flag or redirect");
  const archive = await saveImages(await openImageStore(), words.operands);
  if (file === undefined) return await pipeline(archive, createWriteStream("", { fd: 1, autoClose: false }), { signal });
  const fresh = `${file}.${process.pid}.new`;
  try {
    await pipeline(archive, createWriteStream(fresh, { mode: 0o600, flags: "wx", flush: true }), { signal });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw signal.aborted || (error as Error).name === "BrigError" ? error : imageError("BRIG_CANNOT_SAVE", `cannot write ${file}: ${(error as Error).message}`, undefined, error);
  }
}
