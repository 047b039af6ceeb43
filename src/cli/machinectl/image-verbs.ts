import { readTextInRoot } from "../../host/read-in-root.js";
import { cleanImages, cloneImage, removeImage, renameImage, setReadonly } from "../../machine/images/change.js";
import { findImage, listImages, type MachineImage } from "../../machine/images/image.js";
import { setImageLimit, setPoolLimit } from "../../machine/images/limit.js";
import { findPool } from "../../machine/images/pool.js";
import { readOsName } from "../../machine/os-release.js";
import { machinectlError } from "../../tools/machinectl/errors.js";
import { formatBytes, parseBoolean, parseBytes } from "../../tools/machinectl/format.js";
import { listImageProperties, listPoolProperties, renderFields, renderImageList, renderImageStatus, renderProperties, type ShownImage } from "../../tools/machinectl/show-images.js";
import { print } from "../output/print.js";
import { blame } from "./blame.js";
import type { AskedVerb } from "./words.js";

export async function runImageVerb({ verb, operands, options }: AskedVerb): Promise<number> {
  const [first = "", second] = operands;
  switch (verb) {
    case "list-images": print(renderImageList(listImages(), options)); break;
    case "image-status": print(await joinImages(operands, renderImageStatus, () => renderFields([["Path", findPool()]]))); break;
    case "show-image": print(await joinImages(operands, (image) => renderProperties(listImageProperties(image), options), () => renderProperties(listPoolProperties(findPool()), options))); break;
    case "clone": await blame("Could not clone image", () => cloneImage(first, second!, { readonly: options.readonly })); break;
    case "rename": await blame("Could not rename image", () => renameImage(first, second!)); break;
    case "read-only": await markReadonly(first, second); break;
    case "remove": await eachName(operands, (name) => blame("Could not remove image", () => removeImage(name))); break;
    case "set-limit": await limit(operands); break;
    case "clean": await clean(options.all); break;
  }
  return 0;
}

/** One after the other, with an empty line between; without a name the folder of all. */
async function joinImages(names: readonly string[], render: (image: ShownImage) => string, pool: () => string): Promise<string> {
  if (names.length === 0) return pool();
  const texts: string[] = [];
  for (const name of names) texts.push(render(describe(await blame("Could not get path to image", () => findImage(name)))));
  return texts.join("\n");
}

/** With what its files say of it. They are not trusted: they are read through its root, links included. */
function describe(image: MachineImage): ShownImage {
  if (image.type === "raw" || image.type === "block") return image;
  const hostname = readTextInRoot(image.path, "/etc/hostname")?.split("\n").map((line) => line.trim()).find((line) => /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(line));
  return { ...image, hostname, os: readOsName(image.path) };
}

async function markReadonly(name: string, word: string | undefined): Promise<void> {
  const wanted = word === undefined ? true : parseBoolean(word);
  if (wanted === undefined) throw machinectlError(`Failed to parse boolean argument: ${word}`, "BRIG_BAD_VALUE");
  await blame("Could not mark image read-only", () => setReadonly(name, wanted));
}

async function limit(operands: string[]): Promise<void> {
  const size = operands.at(-1)!;
  const bytes = parseBytes(size);
  if (bytes === undefined) throw machinectlError(`Failed to parse size: ${size}`, "BRIG_BAD_VALUE");
  await blame("Could not set limit", () => (operands.length > 1 ? setImageLimit(operands[0]!, bytes) : setPoolLimit(bytes)));
}

async function clean(everything: boolean): Promise<void> {
  const gone = await blame("Could not clean pool", () => cleanImages(everything));
  const lines = [...gone].map(([name, bytes]) => `Removed image '${name}'${bytes === undefined ? "" : `. Freed exclusive disk space: ${formatBytes(bytes)}`}`);
  print([...lines, `Removed ${gone.size} images in total.`].join("\n"));
}

async function eachName(names: readonly string[], run: (name: string) => Promise<unknown>): Promise<void> {
  for (const name of names) await run(name);
}
