import { existsSync, readFileSync, realpathSync } from "node:fs";
import type { HostFacts } from "../host/facts.js";
import type { Mount } from "../spec/oci.js";
import { parseMountinfo, resolveMount } from "../host/mountinfo.js";
import { canIdmap } from "../policy/idmapped-file-systems.js";
import { BrigError } from "../error/brig-error.js";
import type { IdMaps } from "./identity.js";
import type { Container, ContainerMount } from "./model.js";

/** No one's data comes out of these, and nothing of the host changes through them. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

/** The kernel's file systems and the container's own devices, in the order in which they are mounted. */
export function listSystemMounts({ HostConfig }: Container, maps: IdMaps): Mount[] {
  const { PidMode, IpcMode, NetworkMode, ShmSize } = HostConfig;
  const gid = maps.kind === "one" ? [] : ["gid=5"];
  const owner = HostConfig.Privileged ? [] : ["ro"];
  return [
    PidMode === "host" ? bind("/proc", "/proc", ["rbind"]) : { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=0755", "size=65536k"] },
    ...DEVICES.map((name) => bind(`/dev/${name}`, `/dev/${name}`, ["bind", "nosuid", "noexec"])),
    ...HostConfig.Devices.map(({ PathOnHost, PathInContainer }) => bind(PathOnHost, PathInContainer, ["bind", "nosuid", "noexec"])),
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...gid] },
    IpcMode === "host" ? bind("/dev/mqueue", "/dev/mqueue", ["bind"]) : { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "nodev", "noexec"] },
    ...(IpcMode === "none" ? [] : [IpcMode === "host" ? bind("/dev/shm", "/dev/shm", ["bind"]) : { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "nodev", "noexec", "mode=1777", `size=${ShmSize}`] }]),
    // sysfs shows a network namespace, and belongs to who owns that
    NetworkMode === "host" && maps.kind !== "host" ? bind("/sys", "/sys", ["rbind", "rro"]) : { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "nodev", "noexec", ...owner] },
    ...(NetworkMode === "host" && maps.kind !== "host" ? [] : [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "nodev", "noexec", ...owner] }]),
  ];
}

function bind(source: string, destination: string, options: string[]): Mount {
  return { destination, type: "bind", source, options };
}

/** Files of the container's own folder that stand for the image's. */
export function listOwnFiles(folder: string, maps: IdMaps): Mount[] {
  return ["resolv.conf", "hostname", "hosts"].map((name) => mapIds(bind(`${folder}/${name}`, `/etc/${name}`, ["bind", "nosuid", "nodev"]), maps));
}

/** Volumes and binds, those that lie deeper behind those that they lie in. */
export function listAskedMounts({ Mounts, HostConfig }: Container, maps: IdMaps, host: HostFacts): Mount[] {
  const asked = Mounts.toSorted((a, b) => a.Destination.split("/").length - b.Destination.split("/").length).map((each) => makeMount(each, maps, host));
  const tmpfs = Object.entries(HostConfig.Tmpfs).map(([destination, options]) => makeTmpfs(destination, options));
  return [...tmpfs, ...asked];
}

function makeTmpfs(destination: string, options: string): Mount {
  return { destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", ...options.split(",").filter((option) => option !== "")] };
}

function makeMount(mount: ContainerMount, maps: IdMaps, host: HostFacts): Mount {
  if (mount.Type === "tmpfs") return makeTmpfs(mount.Destination, mount.Options ?? "");
  if (!existsSync(mount.Source))
    throw new BrigError(`invalid mount config for type "${mount.Type}": bind source path does not exist: ${mount.Source}`, { code: "BRIG_NO_SUCH_PATH", hint: "make the folder first" });
  const propagation = mount.Propagation && mount.Propagation !== "rprivate" ? [mount.Propagation] : [];
  const made = bind(mount.Source, mount.Destination, ["rbind", ...(mount.RW ? [] : ["rro"]), "rnosuid", "rnodev", ...propagation]);
  if (maps.kind !== "range") return made;
  const type = resolveMount(parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")), realpathSync.native(mount.Source))?.type;
  if (type !== undefined && canIdmap(type, host)) return mapIds(made, maps);
  if (!mount.RW) return made;
  throw new BrigError(`files in ${mount.Source} would not keep their owners: ${type ?? "its file system"} cannot be mounted with mapped ids`, {
    code: "BRIG_CANNOT_IDMAP", hint: "mount it read-only, use a volume, or accept the host's ids with --userns host",
  });
}

/** Translates owners, so that what belongs to 1000 on the host does inside. */
function mapIds(mount: Mount, maps: IdMaps): Mount {
  return maps.kind === "range" ? { ...mount, uidMappings: maps.uids, gidMappings: maps.gids } : mount;
}
