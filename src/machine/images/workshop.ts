import { readHostFacts, type HostFacts } from "../../host/facts.js";
import { holdPlan, type LauncherStreams, runLauncher } from "../../launch/run-plan.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import { defaultSeccomp } from "../../plan/seccomp/default.js";
import { buildSpec } from "../../policy/build-spec.js";
import type { IdMapping, Mount, Spec } from "../../spec/oci.js";
import { imageError } from "./image-error.js";

/** Work on the files of images by a program of the host that may see nothing else of it. */
export interface Work {
  command: readonly string[];
  /** Host folders or files by where they are seen inside. */
  write?: Record<string, string>;
  read?: Record<string, string>;
  streams?: LauncherStreams;
  /** Devices may be made: only for copies of what is there already. */
  devices?: boolean;
}

/** What it takes to keep owners, modes and capabilities of files as they are written. */
const FILE_CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETFCAP"];

/**
 * Runs it and waits. Owners are those of the host; an ordinary user's are the own id as root and the subordinate ones
 * behind it (subuid(5)). There is no network, and of the host's files only its programs can be read.
 * @returns the exit status
 */
export async function runWork(work: Work): Promise<number> {
  const host = readHostFacts();
  const plan = compilePlan(buildWorkSpec(work, host), host, { cwd: "/", detachKeys: "" });
  const streams: LauncherStreams = work.streams ?? ["ignore", 1, 2];
  return await holdPlan(encodePlan(plan), (fd) => runLauncher(["--plan-fd", "3"], [fd], { streams }));
}

function buildWorkSpec({ command, write = {}, read = {}, devices = false }: Work, host: HostFacts): Spec {
  const capabilities = [...FILE_CAPABILITIES, ...(devices ? ["CAP_MKNOD"] : [])];
  const options = {
    project: "none" as const, cwd: "/tmp", memory: "none", pids: "none" as const, landlock: "none" as const, tty: "never" as const, user: "0:0", umask: 0o022,
    capAdd: capabilities,
    ...(host.euid === 0 ? { share: ["user"] } : {}),
  };
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" };
  const built = buildSpec(options, command, { cwd: "/", env, home: "/root", host });
  // a root has setuid files, and nobody but root reaches them in the folder of images
  const linux = { ...built.linux, seccomp: defaultSeccomp({ capabilities: new Set(capabilities), kernel: host.kernel }) };
  const spec: Spec = { ...built, linux, mounts: [...(built.mounts ?? []), ...bindAll(write, "rw"), ...bindAll(read, "ro")] };
  if (host.euid === 0) return spec;
  return { ...spec, linux: { ...linux, uidMappings: mapIds(host.euid, host.subuid, "uid"), gidMappings: mapIds(host.egid, host.subgid, "gid") } };
}

function bindAll(places: Record<string, string>, access: "rw" | "ro"): Mount[] {
  return Object.entries(places).map(([destination, source]) => ({ destination, source, type: "bind", options: ["bind", access, "nosuid", "nodev"] }));
}

function mapIds(own: number, ranges: HostFacts["subuid"], kind: "uid" | "gid"): IdMapping[] {
  const [range] = ranges;
  if (!range) throw imageError(`this user has no subordinate ids in /etc/sub${kind}`, "BRIG_CANNOT_MAP_IDS", `usermod --add-sub${kind}s 100000-165535 USER`);
  return [{ containerID: 0, hostID: own, size: 1 }, { containerID: 1, hostID: range.start, size: Math.min(range.count, 65_535) }];
}
