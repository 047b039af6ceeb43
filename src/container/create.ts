import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { writeEtcFiles } from "./etc-files.js";
import { type Container, type ContainerConfig, type HostConfig, NEVER } from "./model.js";
import { listMounts } from "./choose-mounts.js";
import { checkModes } from "./namespaces.js";
import { dropName, takeName, writeContainer } from "./store.js";

/** What a container is made of, besides the image. */
export interface CreateRequest {
  /** 64 hex digits, of `drawId`: the image is kept for it already. */
  id: string;
  name?: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  endpoint: Container["Endpoint"];
  /** As `--mount` and `-v` asked for them. */
  mounts: Container["Mounts"];
}

/** An image that is unpacked on this host. */
export interface UnpackedImage {
  /** "sha256:…" of its config. */
  id: string;
  /** As it was asked for. */
  reference: string;
  /** Absolute folders, the topmost layer first. */
  layers: string[];
  /** `config` of its OCI image configuration. */
  config: ImageDefaults;
}

/** OCI image configuration, "config". */
export interface ImageDefaults {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Healthcheck?: ContainerConfig["Healthcheck"];
}

/**
 * Makes a container that can be started.
 * @throws BrigError BRIG_BAD_NAME, BRIG_NAME_TAKEN, BRIG_BAD_VALUE, BRIG_NO_COMMAND
 */
export function createContainer(folder: string, image: UnpackedImage, request: CreateRequest): Container {
  checkModes(request.hostConfig);
  const { id } = request;
  const config = mergeConfig(image.config, request.config, id);
  if (config.Entrypoint.length + config.Cmd.length === 0) throw new BrigError("No command specified", { code: "BRIG_NO_COMMAND", hint: "the image has none: name one behind it" });
  const name = takeName(folder, id, request.name);
  try {
    return fillFolder(folder, { id, name, image, config, request });
  } catch (error) {
    rmSync(join(folder, id), { recursive: true, force: true });
    dropName(folder, name);
    throw error;
  }
}

interface Making {
  id: string;
  name: string;
  image: UnpackedImage;
  config: ContainerConfig;
  request: CreateRequest;
}

function fillFolder(folder: string, { id, name, image, config, request }: Making): Container {
  const own = join(folder, id);
  // what a container writes may be setuid: nobody else on the host comes near it
  mkdirSync(own, { mode: 0o700 });
  for (const each of ["rw", "rw/upper", "rw/work"]) mkdirSync(join(own, each), { mode: 0o755 });
  const container: Container = {
    Id: id, Name: name, Created: new Date().toISOString(), ImageId: image.id, ImageRef: image.reference, Layers: image.layers,
    Config: config, HostConfig: request.hostConfig, Mounts: listMounts(config, request), Endpoint: request.endpoint,
    State: { StartedAt: NEVER, FinishedAt: NEVER, ExitCode: 0, OOMKilled: false, Error: "", RestartCount: 0, Stopped: false },
  };
  writeEtcFiles(own, container);
  writeContainer(folder, container);
  return container;
}

/** The image's words where the request has none. An entrypoint of the request's own takes the image's command away. */
function mergeConfig(image: ImageDefaults, asked: ContainerConfig, id: string): ContainerConfig {
  const ownEntry = asked.Entrypoint.length > 0;
  const ports = { ...image.ExposedPorts, ...asked.ExposedPorts };
  const config: ContainerConfig = {
    ...asked,
    Hostname: asked.Hostname || id.slice(0, 12),
    User: asked.User || image.User || "",
    Env: mergeEnvironment(image.Env ?? [], asked.Env),
    // [""] is how the API says "none"
    Entrypoint: ownEntry ? asked.Entrypoint.filter((word) => word !== "") : (image.Entrypoint ?? []),
    Cmd: asked.Cmd.length > 0 || ownEntry ? asked.Cmd : (image.Cmd ?? []),
    WorkingDir: asked.WorkingDir || image.WorkingDir || "",
    Labels: { ...image.Labels, ...asked.Labels },
    ExposedPorts: ports,
    Volumes: { ...image.Volumes, ...asked.Volumes },
  };
  const signal = asked.StopSignal ?? image.StopSignal;
  if (signal) config.StopSignal = signal;
  const health = asked.Healthcheck ?? image.Healthcheck;
  if (health) config.Healthcheck = health;
  return config;
}

function mergeEnvironment(image: string[], asked: string[]): string[] {
  const nameOf = (line: string): string => line.split("=", 1)[0]!;
  const own = new Set(asked.map(nameOf));
  return [...image.filter((line) => !own.has(nameOf(line))), ...asked];
}
