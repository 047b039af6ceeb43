import { type Extension, writeExtension } from "../../src/spec/extension.js";
import type { NamespaceType, Spec } from "../../src/spec/oci.js";

export const ALL_NEW: NamespaceType[] = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup"];

/** A whole sandbox around the host's /usr, as the safe default makes it: for root with a range of ids, else one id. */
export function makeSpec(args: string[], change: { spec?: Partial<Spec>; linux?: Spec["linux"]; process?: Partial<Spec["process"]>; extension?: Extension; uid?: number; gid?: number } = {}): Spec {
  const { uid = 0, gid = 0 } = change;
  const mapping = (id: number) => (uid === 0 ? [{ containerID: 0, hostID: 700_000_000, size: 65_536 }] : [{ containerID: id, hostID: id, size: 1 }]);
  const spec: Spec = {
    ociVersion: "1.2.0",
    hostname: "brig",
    process: {
      args, cwd: "/", env: ["PATH=/usr/bin:/bin"], user: { uid, gid }, noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      ...change.process,
    },
    mounts: [
      { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "rro", "nosuid", "nodev"] },
      { destination: "/etc", type: "bind", source: "/etc", options: ["rbind", "rro", "nosuid", "nodev"] },
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
      { destination: "/dev/null", type: "bind", source: "/dev/null", options: ["bind"] },
    ],
    linux: {
      namespaces: ALL_NEW.map((type) => ({ type })),
      uidMappings: mapping(uid), gidMappings: mapping(gid),
      maskedPaths: ["/proc/keys", "/proc/timer_list", "/proc/nothing"],
      readonlyPaths: ["/proc/sys", "/proc/nothing"],
      ...change.linux,
    },
    ...change.spec,
  };
  return writeExtension(spec, {
    rootTmpfs: { size: 64 << 20 },
    files: [
      { type: "symlink", path: "/bin", target: "usr/bin" }, { type: "symlink", path: "/lib", target: "usr/lib" },
      { type: "symlink", path: "/lib64", target: "usr/lib64" }, { type: "dir", path: "/tmp", mode: 0o1777 },
    ],
    loopback: true, init: true, terminal: "never",
    ...change.extension,
  });
}
