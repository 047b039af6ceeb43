import { changeConfig } from "../../image/change-config.js";
import { commitLayer, createImage } from "../../image/commit.js";
import type { ImageConfig } from "../../image/oci.js";
import { hostPlatform } from "../../image/platform.js";
import type { Reference } from "../../image/reference.js";
import { unpackImage } from "../../image/resolve.js";
import { findImage } from "../../image/store/find.js";
import type { ImageStore } from "../../image/store/open.js";
import { pauseContainer, unpauseContainer } from "../life.js";
import type { Container } from "../model.js";
import { readState } from "../status.js";
import { packFiles } from "./run-files.js";

export interface CommitOptions {
  name?: Reference | undefined;
  author?: string | undefined;
  message?: string | undefined;
  /** Lines of a Dockerfile that only change settings. */
  changes?: readonly string[];
  /** A container that runs stands still meanwhile. */
  pause?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Makes an image of a container: its image's layers, and one of what it wrote.
 * @returns the image's id
 * @throws BrigError BRIG_NO_IMAGE, BRIG_CANNOT_PACK, BRIG_BAD_CHANGE, BRIG_NO_SPACE
 */
export async function commitContainer(store: ImageStore, folder: string, container: Container, options: CommitOptions = {}): Promise<string> {
  const { image } = container.ImageId === "" ? { image: undefined } : await findImage(store, container.ImageId);
  const settings = changeConfig(listSettings(container), options.changes ?? []);
  const { layer, diffId } = await readLayer(store, folder, container, options);
  const created = new Date().toISOString();
  const base: ImageConfig = image?.config ?? { ...hostPlatform(), rootfs: { type: "layers", diff_ids: [] } };
  const { message, author, name } = options;
  const step = { created, created_by: [...container.Config.Entrypoint, ...container.Config.Cmd].join(" "), ...(message === undefined ? {} : { comment: message }), ...(author === undefined ? {} : { author }) };
  const config: ImageConfig = {
    ...base, created, ...(author === undefined ? {} : { author }), config: settings,
    rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, diffId] }, history: [...(base.history ?? []), step],
  };
  const layers = [...(image?.layers ?? []), layer];
  await unpackImage(store, { id: diffId, config, layers }, { signal: options.signal });
  return (await createImage(store, config, layers, name ? [name] : [])).id;
}

/** The container's own, without what belongs to this run alone. */
function listSettings({ Config }: Container): NonNullable<ImageConfig["config"]> {
  const { User, ExposedPorts, Env, Cmd, Entrypoint, WorkingDir, Labels, Volumes, StopSignal, Healthcheck } = Config;
  const kept = { User, ExposedPorts, Env, Cmd, Entrypoint, WorkingDir, Labels, Volumes, StopSignal, Healthcheck };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined && value !== "" && Object.keys(value).length > 0));
}

async function readLayer(store: ImageStore, folder: string, container: Container, { pause = true, signal }: CommitOptions): ReturnType<typeof commitLayer> {
  const stops = pause && readState(folder, container).Status === "running";
  if (stops) pauseContainer(container);
  try {
    const flags = process.geteuid?.() === 0 ? [] : (["recorded"] as const);
    // a folder of the host is nobody's image: all of it goes along
    const what = container.ImageId === "" ? "root" : "changes";
    return await packFiles(folder, container, { what, path: "/", name: "", flags: [...flags] }, (tar) => commitLayer(store, tar, signal));
  } finally {
    if (stops) unpauseContainer(container);
  }
}
