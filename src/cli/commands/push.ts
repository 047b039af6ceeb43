import { imageError } from "../../image/image-error.js";
import { pushImage } from "../../image/push.js";
import { formatReference, parseReference, type Reference, withDefaultTag } from "../../image/reference.js";
import { type ImageStore, openImageStore } from "../../image/store/open.js";
import { listImages } from "../../image/store/stored-image.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "../images/ends-quietly.js";
import { makeLayerProgress } from "../output/layer-progress.js";
import { print } from "../output/print.js";

export const command: CommandForm = {
  name: "push",
  usage: ["push [OPTIONS] NAME[:TAG]"],
  description: "Sends an image to the registry of its name. Layers that the registry has are not sent again.",
  options: [
    { name: "all-tags", short: "a", help: "all tags of the repository" },
    { name: "quiet", short: "q", help: "only the name at the end" },
    { name: "disable-content-trust", hidden: true, help: "taken for docker's sake: brig knows no notaries" },
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "none",
  examples: [{ words: "brig push localhost:5000/tool:1", what: "as brig tag named it" }],
  run: (words) => endQuietly((signal) => push(words, signal)),
};

async function push(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const reference = parseReference(words.operands[0]!);
  const store = await openImageStore();
  if (reference.tag === undefined && !words.has("all-tags") && !words.has("quiet")) print("Using default tag: latest");
  for (const name of words.has("all-tags") ? await listNames(store, reference) : [withDefaultTag(reference)]) {
    const progress = makeLayerProgress(words.has("quiet"));
    const { digest, size } = await pushImage(store, name, { signal, onProgress: progress.show });
    progress.end();
    print(words.has("quiet") ? formatReference(name) : `${name.tag}: digest: ${digest} size: ${size}`);
  }
}

async function listNames(store: ImageStore, { domain, path, tag }: Reference): Promise<Reference[]> {
  if (tag !== undefined) throw imageError("BRIG_BAD_USAGE", "tag can't be used with --all-tags/-a");
  const names = (await listImages(store)).flatMap((image) => image.names).filter((name) => name.domain === domain && name.path === path && name.tag !== undefined);
  if (names.length === 0) throw imageError("BRIG_NO_IMAGE", `An image does not exist locally with the tag: ${domain}/${path}`);
  return names;
}
