import { join } from "node:path";
import type { Container } from "./model.js";
import { readPorts } from "./ports.js";
import { readState } from "./status.js";

/** A container as `docker inspect` and the Engine API (ContainerInspect) tell it. */
export function describeContainer(folder: string, container: Container): object {
  const { sandbox, RestartCount, ...state } = readState(folder, container);
  const { Config, HostConfig, Layers } = container;
  const own = join(folder, container.Id);
  const [Path = "", ...Args] = [...Config.Entrypoint, ...Config.Cmd];
  const status = state.Status;
  return {
    Id: container.Id, Created: container.Created, Path, Args,
    State: { ...state, Running: status === "running" || status === "paused" || status === "restarting", Paused: status === "paused", Restarting: status === "restarting", Dead: false },
    Image: container.ImageId, ResolvConfPath: join(own, "resolv.conf"), HostnamePath: join(own, "hostname"), HostsPath: join(own, "hosts"), LogPath: join(own, "log"),
    Name: `/${container.Name}`, RestartCount, Driver: "overlay2", Platform: "linux", MountLabel: "", ProcessLabel: "", AppArmorProfile: "", ExecIDs: null,
    HostConfig,
    GraphDriver: { Name: "overlay2", Data: { LowerDir: Layers.join(":"), MergedDir: sandbox?.first ? `/proc/${sandbox.first.pid}/root` : "", UpperDir: join(own, "rw/upper"), WorkDir: join(own, "rw/work") } },
    Mounts: container.Mounts,
    Config: { ...Config, Image: container.ImageRef },
    NetworkSettings: { Ports: readPorts(container), Networks: { [HostConfig.NetworkMode]: {} } },
  };
}
