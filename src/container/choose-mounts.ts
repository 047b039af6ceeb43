import { posix } from "node:path";
import type { CreateRequest } from "./create.js";
import type { ContainerConfig, ContainerMount } from "./model.js";
import { makeVolume } from "./volumes.js";

/** What is mounted: what was asked for, volumes by name made where they are missing, and the image's volumes. */
export function listMounts(config: ContainerConfig, { mounts, hostConfig }: CreateRequest): ContainerMount[] {
  const asked = mounts.map((mount) => (mount.Type === "volume" ? attachVolume(mount) : mount));
  const taken = new Set([...asked.map(({ Destination }) => Destination), ...Object.keys(hostConfig.Tmpfs)].map((path) => posix.resolve("/", path)));
  const anonymous = Object.keys(config.Volumes)
    .map((path) => posix.resolve("/", path))
    .filter((path) => !taken.has(path))
    .map((Destination) => attachVolume({ Type: "volume", Source: "", Destination, RW: true, Mode: "" }));
  return [...asked, ...anonymous];
}

function attachVolume(mount: ContainerMount): ContainerMount {
  const volume = makeVolume(mount.Name);
  return { ...mount, Name: volume.Name, Source: volume.Mountpoint };
}
