import type { Spec } from "../src/spec/oci.js";

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const FOLDERS = ["tmp", "proc", "dev"];
const LINKS = ["bin", "lib", "lib64"];

/** The sandbox that limit.c makes by hand, as a spec; `seccomp` is the default's. Ids are the caller's, one each. */
export function describeLimit(payload: string, uid: number, gid: number, seccomp: NonNullable<Spec["linux"]>["seccomp"]): Spec {
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  return {
    ociVersion: "1.2.0",
    process: { cwd: "/", user: { uid, gid }, env: [], args: ["/payload/nothing"], capabilities: none, noNewPrivileges: true },
    root: { path: "" },
    hostname: "limit",
    mounts: [
      { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev"] },
      { destination: "/payload", type: "bind", source: payload, options: ["bind"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "mode=755"] },
      ...DEVICES.map((name) => ({ destination: `/dev/${name}`, type: "bind", source: `/dev/${name}`, options: ["bind"] })),
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
    ],
    linux: {
      namespaces: [{ type: "user" }, { type: "mount" }, { type: "pid" }, { type: "network" }, { type: "ipc" }, { type: "uts" }, { type: "cgroup" }],
      uidMappings: [{ containerID: uid, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: gid, hostID: gid, size: 1 }],
      ...(seccomp === undefined ? {} : { seccomp }),
    },
    annotations: {
      "dev.brig.rootTmpfs": "{}",
      "dev.brig.files": JSON.stringify([...FOLDERS.map((name) => ({ type: "dir", path: `/${name}`, mode: 0o755 })), ...LINKS.map((name) => ({ type: "symlink", path: `/${name}`, target: `usr/${name}` }))]),
      "dev.brig.loopback": "true",
      "dev.brig.init": "false",
    },
  };
}
