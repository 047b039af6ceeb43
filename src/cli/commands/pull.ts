import { parsePlatform } from "../../image/platform.js";
import { pullImage } from "../../image/pull.js";
import { formatFamiliar, formatReference, parseReference, withDefaultTag } from "../../image/reference.js";
import { listTags } from "../../image/registry/tags.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";
import { makeLayerProgress } from "../output/layer-progress.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "pull",
  usage: ["pull [OPTIONS] NAME[:TAG|@DIGEST]"],
  description: "Gets an image from its registry. Layers that are there already are not fetched again, and a pull that was cut goes on where it was.",
  options: [
    { name: "platform", value: "OS/ARCH", help: "of an image for several platforms, this one and not the host's" },
    { name: "all-tags", short: "a", help: "all tags of the repository" },
    { name: "quiet", short: "q", help: "only the name at the end" },
    { name: "disable-content-trust", hidden: true, help: "taken for docker's sake: brig knows no notaries" },
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "none",
  examples: [
    { words: "brig pull debian:12", what: "from Docker Hub" },
    { words: "brig pull --platform linux/arm64 localhost:5000/tool", what: "for another machine, from a registry here" },
  ],
  run: (words) => endQuietly((signal) => pull(words, signal)),
};

async function pull(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const reference = parseReference(words.operands[0]!);
  const platform = words.value("platform");
  const store = await openImageStore();
  const tags = words.has("all-tags") ? await listTags(reference, { signal }) : [undefined];
  for (const tag of tags) {
    const name = tag === undefined ? withDefaultTag(reference) : { ...reference, tag };
    if (name.tag !== reference.tag && tag === undefined && !words.has("quiet")) print(`Using default tag: ${name.tag}`);
    const progress = makeLayerProgress(words.has("quiet"));
    const { digest, isNew } = await pullImage(store, name, { signal, onProgress: progress.show, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) });
    progress.end();
    if (!words.has("quiet")) print(`Digest: ${digest}\nStatus: ${isNew ? "Downloaded newer image" : "Image is up to date"} for ${formatFamiliar(name)}`);
    print(formatReference(name));
  }
}
