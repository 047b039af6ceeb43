import { readdirSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { readHostFacts } from "../../host/facts.js";
import { chooseOwners } from "../../image/layers/owners.js";
import { runUnpacker } from "../../image/layers/run-unpacker.js";
import { isInLayers } from "../layers.js";
import type { Container } from "../model.js";
import { packFiles } from "./run-files.js";

/** What the image has at a volume's place is in the volume, where that is empty: as docker fills them. */
export async function fillVolumes(folder: string, container: Container): Promise<void> {
  if (container.ImageId === "") return;
  for (const { Type, Source, Destination, Mode } of container.Mounts) {
    if (Type !== "volume" || Mode.includes("nocopy") || !isInLayers(container.Layers, Destination) || readdirSync(Source).length > 0) continue;
    const owners = chooseOwners(readHostFacts());
    await packFiles(folder, container, { what: "root", path: Destination, name: "", flags: owners.kind === "recorded" ? ["recorded"] : [] }, (tar) =>
      runUnpacker(Source, { owners, mode: "plain" }, ({ stdin }) => pipeline(tar, stdin!)));
  }
}
