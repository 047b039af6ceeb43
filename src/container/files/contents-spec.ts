import { join } from "node:path";
import type { HostFacts } from "../../host/facts.js";
import { type Extension, writeExtension } from "../../spec/extension.js";
import type { NamespaceType, Spec } from "../../spec/oci.js";
import { openPlaces } from "../folder.js";
import { chooseMaps, findUser } from "../identity.js";
import type { Container } from "../model.js";
import { listAskedMounts } from "../mounts.js";

/** What reading and writing other people's files takes; overlayfs' own attributes need the last one. */
const CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_MKNOD", "CAP_SETFCAP", "CAP_SYS_ADMIN"];
const NAMESPACES: NamespaceType[] = ["mount", "pid", "network", "ipc", "uts"];
const CALLS =
  "read write openat openat2 close close_range dup3 fcntl statx lseek getdents64 readlinkat mkdirat mknodat unlinkat linkat " +
  "symlinkat fchmod fchownat utimensat ftruncate fsetxattr fgetxattr flistxattr umask mmap munmap prctl exit exit_group " +
  "rt_sigreturn restart_syscall";

export interface ContentsWish {
  /** "changes": what the container wrote, as it lies there. "root": its root without mounts. "all": with volumes and binds. */
  what: "changes" | "root" | "all";
  writable?: boolean;
}

/**
 * The sandbox in which files of a container that does not run are read or written: its root as it would see it, with
 * the same ids, nothing else of the host, no network, and no calls but those for files.
 */
export function buildContentsSpec(folder: string, container: Container, host: HostFacts, { what, writable = false }: ContentsWish): Spec {
  const own = join(folder, container.Id);
  const [upper, work] = [join(own, "rw/upper"), join(own, "rw/work")];
  const user = findUser(container, [upper, ...container.Layers], "0:0");
  const maps = chooseMaps(container, host, user);
  const capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES, inheritable: [], ambient: [] };
  const rootLayers = writable ? { lower: container.Layers, upper, work } : { lower: [upper, ...container.Layers] };
  const extension: Extension = { dieWithParent: true, ...(what === "changes" ? {} : { rootLayers: { ...rootLayers, places: openPlaces(folder, container.Layers.length + 1) } }) };
  const idmap = maps.kind === "range" ? { uidMappings: maps.uids, gidMappings: maps.gids } : {};
  const spec: Spec = {
    ociVersion: "1.2.0",
    ...(what === "changes" ? {} : { root: { path: "", readonly: !writable } }),
    mounts: what === "changes" ? [{ destination: "/", type: "bind", source: upper, options: ["bind", "ro", "nodev", "nosuid", "noexec"], ...idmap }] : what === "all" ? listAskedMounts(container, maps, host) : [],
    // never executed: the launcher's own packer takes its place
    process: { args: ["/"], cwd: "/", user: { uid: 0, gid: 0 }, noNewPrivileges: true, capabilities },
    linux: {
      namespaces: [...NAMESPACES, ...(maps.kind === "host" ? [] : ["user" as const])].map((type) => ({ type })),
      ...(maps.kind === "host" ? {} : { uidMappings: maps.uids, gidMappings: maps.gids }),
      seccomp: { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: CALLS.split(" "), action: "SCMP_ACT_ALLOW" }] },
    },
  };
  return writeExtension(spec, extension);
}
