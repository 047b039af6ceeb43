import { type Extension, writeExtension } from "../../spec/extension.js";
import type { NamespaceType, Spec } from "../../spec/oci.js";
import type { LayerOwners } from "./owners.js";

/** What writing other people's files takes; trusted.overlay.opaque needs the last one, which the filter below leaves toothless. */
const CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_MKNOD", "CAP_SETFCAP", "CAP_SYS_ADMIN"];
const NAMESPACES: NamespaceType[] = ["mount", "pid", "network", "ipc", "uts"];
const CALLS =
  "read write openat openat2 close close_range dup3 fcntl statx lseek getdents64 mkdirat mknodat unlinkat linkat symlinkat " +
  "fchmod fchownat utimensat ftruncate fsetxattr umask mmap munmap prctl exit exit_group rt_sigreturn restart_syscall";

/**
 * The sandbox in which a layer's archive is written, or its folder emptied: the folder is the root, and there is nothing
 * else; the calls are those that write files.
 */
export function buildUnpackSpec(folder: string, owners: LayerOwners): Spec {
  const isReal = owners.kind === "real";
  const extension: Extension = { dieWithParent: true };
  return writeExtension(
    {
      ociVersion: "1.2.0",
      // a root that is a mount gets none of the devices that OCI gives to containers
      mounts: [{ destination: "/", type: "bind", source: folder, options: ["bind", "nodev", "nosuid", "noexec"] }],
      process: {
        args: ["/"], // never executed: the launcher's unpacker takes its place
        cwd: "/",
        user: { uid: 0, gid: 0 },
        noNewPrivileges: true,
        capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES, inheritable: [], ambient: [] },
      },
      linux: {
        namespaces: [...NAMESPACES, ...(isReal ? [] : ["user" as const])].map((type) => ({ type })),
        ...(isReal ? {} : { uidMappings: owners.uidMappings, gidMappings: owners.gidMappings }),
        seccomp: { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: CALLS.split(" "), action: "SCMP_ACT_ALLOW" }] },
      },
    },
    extension,
  );
}
