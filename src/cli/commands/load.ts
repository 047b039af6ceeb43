import { isatty } from "node:tty";
import { loadImages } from "../../image/archive/load.js";
import { imageError } from "../../image/image-error.js";
import { formatFamiliar } from "../../image/reference.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";
import { openInput } from "../images/open-input.js";
import { makeLayerProgress } from "../output/layer-progress.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "load",
  usage: ["load [-i FILE] [-q]"],
  description: "Adds the images of an archive: what brig save, docker save, podman save or skopeo wrote, compressed or not.",
  options: [
    { name: "input", short: "i", value: "FILE", help: "where from; standard input without it", complete: "path" },
    { name: "quiet", short: "q", help: "no progress" },
  ],
  maxOperands: 0,
  examples: [{ words: "brig load -i debian.tar", what: "what brig save wrote" }],
  run: (words) => endQuietly((signal) => load(words, signal)),
};

async function load(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const file = words.value("input");
  if (file === undefined && isatty(0)) throw imageError("BRIG_BAD_USAGE", "requested load from stdin, but stdin is empty", "brig load -i FILE");
  const progress = makeLayerProgress(words.has("quiet") || !isatty(1));
  const loaded = await loadImages(await openImageStore(), openInput(file ?? "-"), { signal, onProgress: progress.show });
  progress.end();
  for (const { id, names } of loaded) print(names.length === 0 ? `Loaded image ID: ${id}` : names.map((name) => `Loaded image: ${formatFamiliar(name)}\n`).join(""));
}
