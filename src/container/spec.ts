import { join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import { type Extension, writeExtension, type RootEntry } from "../spec/extension.js";
import type { Origins } from "../spec/origin.js";
import type { Process, Spec } from "../spec/oci.js";
import { chooseCapabilities } from "./capabilities.js";
import { chooseMaps, type ContainerUser, findUser, type IdMaps } from "./identity.js";
import type { Container } from "./model.js";
import { listAskedMounts, listOwnFiles, listSystemMounts } from "./mounts.js";
import { chooseNamespaces, type FindProcess } from "./namespaces.js";
import { chooseResources, chooseRlimits } from "./resources.js";
import { chooseSecurity, type Security } from "./security.js";

const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Kernel interfaces that tell of the host or change it, as Docker and podman hide them. */
const MASKED = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"];
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const LINKS = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", ptmx: "pts/ptmx", core: "/proc/kcore" };

export interface SpecContext {
  host: HostFacts;
  /** The container's folder, and that of the places for its layers. */
  folder: string;
  places: string;
  findProcess: FindProcess;
}

/**
 * The OCI runtime spec of a container's next run.
 * @throws BrigError BRIG_NO_SUCH_USER, BRIG_BAD_VALUE, BRIG_BAD_SECCOMP, BRIG_CANNOT_IDMAP, BRIG_NO_SUCH_PATH
 */
export function buildContainerSpec(container: Container, context: SpecContext): Spec {
  const { host, folder } = context;
  const { HostConfig, Config } = container;
  const user = findUser(container, [join(folder, "rw/upper"), ...container.Layers]);
  const maps = chooseMaps(container, host, user);
  if (maps.kind === "one" && HostConfig.GroupAdd.length > 0) throw new BrigError("groups cannot be added where only one id is mapped", { code: "BRIG_BAD_VALUE", hint: "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER, and install uidmap" });
  const capabilities = chooseCapabilities(HostConfig);
  const security = chooseSecurity(HostConfig, capabilities, host);
  const spec: Spec = {
    ociVersion: "1.2.0",
    process: makeProcess(container, user, maps, capabilities, security),
    root: { path: "", readonly: HostConfig.ReadonlyRootfs },
    ...(HostConfig.UTSMode === "host" ? {} : { hostname: Config.Hostname, ...(Config.Domainname ? { domainname: Config.Domainname } : {}) }),
    mounts: [...listSystemMounts(container, maps), ...listOwnFiles(folder, maps), ...listAskedMounts(container, maps, host)],
    annotations: { ...Config.Labels },
    linux: {
      namespaces: chooseNamespaces(container, maps, context.findProcess),
      ...(maps.kind === "host" ? {} : { uidMappings: maps.uids, gidMappings: maps.gids }),
      resources: chooseResources(HostConfig),
      ...(security.seccomp ? { seccomp: security.seccomp } : {}),
      ...(Object.keys(HostConfig.Sysctls).length > 0 ? { sysctl: HostConfig.Sysctls } : {}),
      ...(security.unmasked ? {} : { maskedPaths: MASKED, readonlyPaths: READ_ONLY }),
    },
  };
  return writeExtension(spec, makeExtension(container, context, spec));
}

function makeProcess({ Config, HostConfig }: Container, user: ContainerUser, maps: IdMaps, capabilities: string[], security: Security): Process {
  const groups = maps.kind === "one" ? [] : user.additionalGids;
  const bounding = capabilities;
  // who is not root gets none, as with Docker: what its setuid programs may gain is bounded
  const held = user.uid === 0 ? capabilities : [];
  return {
    terminal: Config.Tty,
    user: { uid: user.uid, gid: user.gid, ...(groups.length > 0 ? { additionalGids: groups } : {}) },
    args: [...Config.Entrypoint, ...Config.Cmd],
    env: listEnvironment(Config, user),
    cwd: Config.WorkingDir || "/",
    capabilities: { bounding, effective: held, permitted: held, inheritable: [], ambient: [] },
    rlimits: chooseRlimits(HostConfig),
    noNewPrivileges: security.noNewPrivileges,
    ...(HostConfig.OomScoreAdj === 0 ? {} : { oomScoreAdj: HostConfig.OomScoreAdj }),
  };
}

/** What is set last counts; a name alone takes the variable away. */
function listEnvironment({ Env, Hostname, Tty }: Container["Config"], user: ContainerUser): string[] {
  const env = new Map<string, string>([["PATH", STANDARD_PATH], ["HOSTNAME", Hostname], ...(Tty ? [["TERM", "xterm"] as const] : [])]);
  for (const line of Env) {
    const [name = "", value] = line.split(/=(.*)/s);
    if (value === undefined) env.delete(name);
    else env.set(name, value);
  }
  if (!env.has("HOME")) env.set("HOME", user.home);
  return [...env].map(([name, value]) => `${name}=${value}`);
}

function makeExtension(container: Container, { folder, places }: SpecContext, { process }: Spec): Extension {
  const { Config, HostConfig, Layers, Name } = container;
  const path = process?.env?.find((line) => line.startsWith("PATH="))?.slice("PATH=".length) ?? STANDARD_PATH;
  const [program = ""] = process?.args ?? [];
  const files: RootEntry[] = Object.entries(LINKS).map(([name, target]) => ({ type: "symlink", path: `/dev/${name}`, target }));
  if (Config.WorkingDir && Config.WorkingDir !== "/") files.push({ type: "dir", path: Config.WorkingDir });
  return {
    origins: listOrigins(),
    rootLayers: { lower: Layers, upper: join(folder, "rw/upper"), work: join(folder, "rw/work"), places },
    files,
    landlock: { scopes: ["abstract-unix-socket", "signal"], optional: true },
    keyring: true,
    init: HostConfig.Init || needsInit(container),
    terminal: Config.Tty ? "always" : "never",
    name: Name,
    loopback: HostConfig.NetworkMode !== "host" && !HostConfig.NetworkMode.startsWith("container:"),
    candidates: listCandidates(program, path, Config.WorkingDir || "/"),
    ...(Config.StopSignal ? { stopSignal: Config.StopSignal } : {}),
    ...(HostConfig.TimeoutMs > 0 ? { timeout: { ms: HostConfig.TimeoutMs } } : {}),
  };
}

/** Signals reach a first process only where it handles them, and brig's init is what `exec` joins by. */
function needsInit({ HostConfig }: Container): boolean {
  return HostConfig.PidMode === "host";
}

/** Where execvp(3) would look, as absolute paths inside. */
function listCandidates(program: string, path: string, cwd: string): string[] {
  if (program.includes("/")) return [resolve(cwd, program)];
  return path.split(":").map((folder) => join(resolve(cwd, folder), program));
}

function listOrigins(): Origins {
  return { "": { kind: "image", text: "the container's configuration" }, "/linux/resources/pids": { kind: "default", text: "no fork bomb" } };
}
