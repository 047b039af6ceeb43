import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageStore } from "../store/open.js";
import type { LayerOwners } from "./owners.js";

/** An unpacked layer, ready to be the lower side of an overlay. */
export interface LayerFolder {
  diffId: string;
  /** Its root, as overlayfs takes it: whiteouts are devices 0:0, opaque folders have the attribute. */
  path: string;
  owners: LayerOwners["kind"];
  entries: number;
  /** Of all files. */
  bytes: number;
  skippedDevices: number;
  skippedAttributes: number;
}

/** The folder of a layer: `root` and `layer.json`. The digest has been checked: nothing in it leads elsewhere. */
export function layerHome(store: ImageStore, diffId: string): string {
  const [algorithm = "", hex = ""] = diffId.split(":");
  return join(store.layers, algorithm, hex);
}

/** A layer that has been unpacked already. */
export function findLayer(store: ImageStore, diffId: string): LayerFolder | undefined {
  const home = layerHome(store, diffId);
  try {
    const facts = JSON.parse(readFileSync(join(home, "layer.json"), "utf8")) as Omit<LayerFolder, "diffId" | "path">;
    return { ...facts, diffId, path: join(home, "root") };
  } catch {
    return undefined;
  }
}
