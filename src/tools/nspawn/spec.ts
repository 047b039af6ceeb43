import { type Extension, type LayeredOverlay, type Machine, type RootEntry, writeExtension } from "../../spec/extension.js";
import type { DeviceRule, Linux, Mount, Namespace, Process, Spec } from "../../spec/oci.js";
import { type Notes, startNotes } from "../grammar/origins.js";
import { decideCapabilities } from "./capabilities.js";
import type { NspawnContext } from "./context.js";
import { planCredentials } from "./credentials.js";
import { planCustomMounts } from "./custom-mounts.js";
import { decide, type Decided } from "./decide.js";
import { buildEnvironment } from "./environment.js";
import { integrateJournal, integrateResolvConf, integrateTimezone } from "./integration.js";
import { furnish, NOTIFY } from "./mounts.js";
import { EXIT_FAILURE, type NspawnOptions } from "./options.js";
import { readMachineId, type Tree } from "./root.js";
import type { ParsedNspawn } from "./grammar.js";
import { addSettings } from "./settings.js";
import { buildSeccomp } from "./seccomp.js";
import { type Layers, mountTree } from "./tree-mount.js";

/** The root and everything in it, in the order in which it is made. */
interface Contents {
  mounts: Mount[];
  files: RootEntry[];
  maskedPaths: string[];
  devices: NonNullable<Linux["devices"]>;
  readonly: boolean;
  overlays: LayeredOverlay[];
  extension: Pick<Extension, "rootTmpfs" | "rootImage">;
}

/**
 * What systemd-nspawn(1) was asked for, on the command line and in a settings file, as a spec. What a person should know
 * of it is added to `parsed.warnings`.
 * @throws BrigError BRIG_BAD_OPTION with systemd-nspawn's message
 */
export function buildNspawnSpec(parsed: ParsedNspawn, context: NspawnContext): Spec {
  return buildNspawn(parsed, context).spec;
}

/** The spec, and what is to be done on the host before: files that get other owners. */
export function buildNspawn(parsed: ParsedNspawn, context: NspawnContext): { spec: Spec; chown?: { tree: string; base: number } } {
  const { options, texts, warnings } = addSettings(parsed, context);
  parsed.warnings.splice(0, parsed.warnings.length, ...warnings);
  const notes = startNotes();
  const decided = decide(options, context);
  const contents = furnishRoot(options, decided, context, notes);
  const credentials = planCredentials(options);
  const capabilities = decideCapabilities(options, { users: decided.users.mappings !== undefined, network: decided.network.namespace !== "host" }, context.host.capabilities);
  noteWords(notes, texts);
  const env = buildEnvironment({ ...options, console: decided.console }, context, { ...decided.program.account, uuid: decided.uuid }, NOTIFY, credentials.folder);
  const spec: Spec = {
    ociVersion: "1.2.0",
    hostname: options.hostname ?? decided.tree.name,
    ...(contents.readonly ? { root: { path: "", readonly: true } } : {}),
    process: { ...buildProcess(options, decided), env, capabilities },
    mounts: contents.mounts,
    linux: buildLinux(options, decided, contents, context, capabilities.bounding ?? []),
  };
  const { chownTo: base } = decided.users;
  return { spec: writeExtension(spec, buildExtension(options, decided, contents, notes)), ...(base === undefined ? {} : { chown: { tree: decided.tree.path, base } }) };
}

function buildProcess(options: NspawnOptions, { program }: Decided): Process {
  return {
    args: program.args,
    cwd: program.cwd,
    user: program.user,
    rlimits: options.rlimits,
    ...(options.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...(options.oomScoreAdjust === undefined ? {} : { oomScoreAdj: options.oomScoreAdjust }),
    ...(options.cpuAffinity === undefined ? {} : { execCPUAffinity: { initial: options.cpuAffinity, final: options.cpuAffinity } }),
  };
}

/** The tree, /proc and its like, what was asked for, and last what makes the machine fit its host. */
function furnishRoot(options: NspawnOptions, decided: Decided, context: NspawnContext, notes: Notes): Contents {
  const { tree, users, network, console } = decided;
  const root = mountTree(options, context, tree, users);
  const furniture = furnish({ ...decided, console: console !== "pipe", privateNetwork: network.namespace !== "host", ownsNetwork: network.namespace === "own" }, context);
  const custom = planCustomMounts(options, context, tree, users);
  const surroundings = { tree, readonly: root.readonly, sharesNetwork: network.namespace === "host" };
  const fitted = [integrateResolvConf(options, context, surroundings), integrateTimezone(options, context, surroundings), integrateJournal(options, context, tree, readMachineId(context, tree))];
  const overlays: LayeredOverlay[] = root.overlay ? [place(root.overlay, 0)] : [];
  const mounts = [...root.mounts, ...furniture.mounts];
  for (const { mount, overlay, text } of [...custom.mounts, ...decided.bound.mounts.map((each) => ({ ...each, overlay: undefined }))]) {
    notes.add(`/mounts/${mounts.length}`, text, `Failed to mount ${mount.destination}`);
    if (overlay) overlays.push(place(overlay, mounts.length));
    mounts.push(mount);
  }
  mounts.push(...fitted.flatMap((each) => each.mounts));
  const early = [...root.files, ...furniture.files, ...planCredentials(options).files, ...decided.bound.files];
  const late = fitted.flatMap((each) => each.files).map((entry): RootEntry => ({ ...entry, after: mounts.length }));
  return {
    mounts, overlays, readonly: root.readonly, extension: root.extension, devices: furniture.devices,
    files: [...early, ...late, ...furniture.finish(mounts.length)],
    maskedPaths: [...furniture.maskedPaths, ...custom.maskedPaths],
  };
}

/** Folders that every host has; in the sandbox's own mount namespace each may be covered for a moment. */
const PLACES = ["/mnt", "/media", "/srv", "/opt", "/tmp", "/run", "/etc"];

function place(layers: Layers, mount: number): LayeredOverlay {
  const all = [...layers.lower, ...(layers.upper === undefined ? [] : [layers.upper])];
  const free = PLACES.find((folder) => !all.some((path) => path === "/" || path === folder || path.startsWith(`${folder}/`)));
  return { ...layers, mount, place: free ?? PLACES[0]! };
}

function buildLinux(options: NspawnOptions, { users, network, cgroups }: Decided, contents: Contents, context: NspawnContext, capabilities: string[]): Linux {
  const namespaces: Namespace[] = [{ type: "mount" }, { type: "pid" }, { type: "ipc" }, { type: "uts" }];
  if (cgroups !== "none") namespaces.push({ type: "cgroup" });
  if (users.mappings) namespaces.push({ type: "user" });
  if (network.namespace === "own") namespaces.push({ type: "network" });
  else if (network.namespace !== "host") namespaces.push({ type: "network", path: network.namespace.path });
  return {
    namespaces,
    ...(users.mappings ? { uidMappings: users.mappings.uids, gidMappings: users.mappings.gids } : {}),
    devices: contents.devices,
    maskedPaths: contents.maskedPaths,
    seccomp: buildSeccomp(options, capabilities),
    rootfsPropagation: "shared",
    ...(options.personality === "x86" || options.personality === "arm" ? { personality: { domain: "LINUX32" } } : {}),
    ...limitDevices(users.mappings !== undefined, context),
  };
}

/** Whose root is the host's root could reach its disks by any device node. In a user namespace no node that it makes opens. */
function limitDevices(mapped: boolean, { host }: NspawnContext): Pick<Linux, "resources"> {
  if (mapped || host.cgroup.controllers["devices"]?.version !== 1) return {};
  const rules: DeviceRule[] = [{ allow: false, access: "rwm" }];
  return { resources: { devices: rules } };
}

function buildExtension(options: NspawnOptions, decided: Decided, contents: Contents, notes: Notes): Extension {
  const { tree, console, program, network } = decided;
  return {
    ...contents.extension,
    name: tree.name,
    machine: describeMachine(options, decided),
    terminal: console === "pipe" ? "never" : "always",
    candidates: program.candidates,
    keyring: true,
    exactModes: true,
    files: contents.files,
    stopSignal: options.killSignal ?? program.stopSignal ?? (options.mode === "boot" ? "SIGRTMIN+3" : "SIGKILL"),
    ...(contents.overlays.length > 0 ? { layeredOverlays: contents.overlays } : {}),
    ...(options.mode === "pid2" ? { init: true } : {}),
    ...(network.namespace === "own" ? { loopback: true } : {}),
    ...(network.network ? { network: network.network } : {}),
    origins: notes.origins,
    voice: {
      prefix: "", exitCode: EXIT_FAILURE, sayings: { ...notes.sayings, ...describeFailures(tree) },
      exec: { saying: `execv(${program.args[0]}) failed`, notFound: EXIT_FAILURE, other: EXIT_FAILURE },
    },
  };
}

function describeMachine(options: NspawnOptions, { tree, uuid, console, cgroups, network }: Decided): Machine {
  const boot = options.mode === "boot";
  const links = (network.network?.links ?? []).flatMap((link) => (link.kind === "veth" ? [link.host] : []));
  return {
    root: tree.path, class: "container", uuid, boot, console, reboots: boot,
    // several may run from one tree that none of them changes
    locks: [{ path: tree.path, exclusive: !(options.readOnly || options.ephemeral || (options.volatile ?? "no") !== "no") }],
    ...(cgroups === "none" ? {} : { delegate: cgroups === "legacy" ? "systemd" as const : "unified" as const }),
    ...(links.length > 0 ? { links } : {}),
    ...(options.quiet || console === "pipe" ? {} : { sayings: describe(tree, console) }),
  };
}

/** What systemd-nspawn says on standard error. */
function describe({ name, path }: Tree, console: Machine["console"]): NonNullable<Machine["sayings"]> {
  const leave = console === "interactive" ? "\nPress ^] three times within 1s to kill container." : "";
  return [
    `Spawning container ${name} on ${path}.${leave}`,
    `Container ${name} exited successfully.`,
    `Container ${name} failed with error code `,
    `Container ${name} terminated by signal `,
    `Container ${name} has been shut down.`,
    `Container ${name} is being rebooted.`,
    "Trying to halt container. Send SIGTERM again to trigger immediate termination.",
  ];
}

function describeFailures({ name, path, image }: Tree): Record<string, string> {
  return {
    "/annotations/dev.brig.machine/locks/0": image ? `Disk image ${path} is currently busy` : `Directory tree ${path} is currently busy`,
    "/annotations/dev.brig.name": `Machine '${name}' already exists`,
    "/annotations/dev.brig.rootImage": `Failed to mount image ${path}`,
    "/mounts/0": `Failed to mount ${path} as the root`,
  };
}

/** Which words each setting comes from. */
const SOURCES: Record<string, string[]> = {
  "/hostname": ["hostname", "machine"],
  "/linux/uidMappings": ["private-users", "users"],
  "/linux/seccomp": ["system-call-filter"],
  "/linux/personality": ["personality"],
  "/process/capabilities": ["capability", "drop-capability", "ambient-capability"],
  "/process/rlimits": ["rlimit"],
  "/process/oomScoreAdj": ["oom-score-adjust"],
  "/process/execCPUAffinity": ["cpu-affinity"],
  "/process/cwd": ["chdir"],
  "/process/user": ["user"],
  "/annotations/dev.brig.network": ["network-veth", "network-veth-extra", "network-bridge", "network-zone", "network-macvlan", "network-ipvlan", "network-interface", "port"],
  "/annotations/dev.brig.rootImage": ["image"],
  "/mounts/0": ["directory"],
};

function noteWords(notes: Notes, texts: ReadonlyMap<string, string>): void {
  for (const [pointer, keys] of Object.entries(SOURCES)) {
    const text = keys.flatMap((key) => texts.get(key) ?? []).join(" ");
    if (text !== "") notes.add(pointer, text);
  }
}
