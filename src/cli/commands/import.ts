import { importImage } from "../../image/archive/import.js";
import { imageError } from "../../image/image-error.js";
import { parsePlatform } from "../../image/platform.js";
import { parseReference } from "../../image/reference.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";
import { openInput } from "../images/open-input.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "import",
  usage: ["import [OPTIONS] FILE|- [NAME[:TAG]]"],
  description: "Makes an image of one layer out of a plain archive of a root: tar, compressed or not.",
  options: [
    { name: "change", short: "c", value: "LINE", repeat: true, help: "a line of a Dockerfile: 'CMD [\"sh\"]', 'ENV A=1', 'WORKDIR /srv'" },
    { name: "message", short: "m", value: "TEXT", help: "for brig history" },
    { name: "platform", value: "OS/ARCH", help: "what the programs in it are for, if not for this host" },
  ],
  minOperands: 1,
  maxOperands: 2,
  operands: "path",
  examples: [{ words: "tar -C root -c . | brig import -c 'CMD [\"bash\"]' - mine:1", what: "a root made by hand" }],
  run: (words) => endQuietly((signal) => importFile(words, signal)),
};

async function importFile(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const [file = "-", name] = words.operands;
  if (/^https?:\/\//.test(file)) throw imageError("BRIG_BAD_USAGE", "an archive is not fetched from the network", `curl -fL ${file} | brig import - ${name ?? ""}`);
  const platform = words.value("platform");
  const id = await importImage(await openImageStore(), openInput(file), {
    name: name === undefined ? undefined : parseReference(name),
    message: words.value("message") ?? `Imported from ${file}`,
    changes: words.values("change"),
    platform: platform === undefined ? undefined : parsePlatform(platform),
    signal,
  });
  print(id);
}
