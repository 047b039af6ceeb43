import { type Extension, type Machine, writeExtension } from "../../spec/extension.js";
import type { DeviceRule, Linux, Mount, Namespace, Spec } from "../../spec/oci.js";
import { startNotes, type Notes } from "../grammar/origins.js";
import { decideCapabilities } from "./capabilities.js";
import type { NspawnContext } from "./context.js";
import { buildEnvironment } from "./environment.js";
import type { ParsedNspawn } from "./grammar.js";
import { furnish, type Furniture, NOTIFY } from "./mounts.js";
import { EXIT_FAILURE, type NspawnOptions } from "./options.js";
import { findProgram, type Program } from "./program.js";
import { decideUuid, findTree, hasMountsBelow, type Tree } from "./root.js";
import { buildSeccomp } from "./seccomp.js";
import { decideUsers, type Users } from "./users.js";

/** A machine with everything decided. */
interface Decided {
  tree: Tree;
  users: Users;
  uuid: string;
  program: Program;
  console: Machine["console"];
  privateNetwork: boolean;
  cgroups: "unified" | "legacy" | "none";
}

/**
 * What systemd-nspawn(1) was asked for, as a spec.
 * @throws BrigError BRIG_BAD_OPTION with systemd-nspawn's message
 */
export function buildNspawnSpec({ options, texts }: ParsedNspawn, context: NspawnContext): Spec {
  const notes = startNotes();
  const decided = decide(options, context);
  const furniture = furnish({ ...decided, console: decided.console !== "pipe" }, context);
  const mounts = [mountRoot(decided, context), ...furniture.mounts];
  const capabilities = decideCapabilities(options, { users: decided.users.mappings !== undefined, network: decided.privateNetwork }, context.host.capabilities);
  for (const [key, text] of texts) notes.origins[`/nspawn/${key}`] = { kind: "flag", text };
  const spec: Spec = {
    ociVersion: "1.2.0",
    hostname: options.hostname ?? decided.tree.name,
    process: {
      args: decided.program.args,
      cwd: decided.program.cwd,
      user: decided.program.user,
      env: buildEnvironment({ ...options, console: decided.console }, context, { ...decided.program.account, uuid: decided.uuid }, NOTIFY, undefined),
      capabilities,
      rlimits: options.rlimits,
      ...(options.noNewPrivileges ? { noNewPrivileges: true } : {}),
      ...(options.oomScoreAdjust === undefined ? {} : { oomScoreAdj: options.oomScoreAdjust }),
      ...(options.cpuAffinity === undefined ? {} : { execCPUAffinity: { initial: options.cpuAffinity, final: options.cpuAffinity } }),
    },
    mounts,
    linux: buildLinux(options, decided, furniture, context, capabilities.bounding ?? []),
  };
  return writeExtension(spec, buildExtension(options, decided, furniture, mounts, notes));
}

function decide(options: NspawnOptions, context: NspawnContext): Decided {
  const tree = findTree(options, context);
  const users = decideUsers(options, context, tree.path, tree.name);
  return {
    tree,
    users,
    uuid: decideUuid(options, context, tree),
    program: findProgram(options, context, tree.path),
    console: options.console ?? ((context.terminals & 3) === 3 ? "interactive" : "read-only"),
    privateNetwork: options.privateNetwork ?? false,
    cgroups: decideCgroups(context),
  };
}

/** $SYSTEMD_NSPAWN_UNIFIED_HIERARCHY, else what the host has; an ordinary user has none to hand on. */
function decideCgroups({ env, host }: NspawnContext): Decided["cgroups"] {
  const asked = env["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"];
  if (host.euid !== 0) return "none";
  if (asked === "0" && host.cgroup.systemd?.writable) return "legacy";
  if (host.cgroup.unified?.writable) return "unified";
  return host.cgroup.systemd?.writable ? "legacy" : "none";
}

function mountRoot({ tree, users }: Decided, context: NspawnContext): Mount {
  const recursive = hasMountsBelow(context, tree.path);
  const idmap = users.mapsFiles ? [recursive ? "ridmap" : "idmap"] : [];
  return { destination: "/", type: "bind", source: tree.path, options: [recursive ? "rbind" : "bind", ...idmap] };
}

function buildLinux(options: NspawnOptions, { users, privateNetwork, cgroups }: Decided, furniture: Furniture, context: NspawnContext, capabilities: string[]): Linux {
  const namespaces: Namespace[] = [{ type: "mount" }, { type: "pid" }, { type: "ipc" }, { type: "uts" }];
  if (cgroups !== "none") namespaces.push({ type: "cgroup" });
  if (users.mappings) namespaces.push({ type: "user" });
  if (privateNetwork) namespaces.push({ type: "network" });
  return {
    namespaces,
    ...(users.mappings ? { uidMappings: users.mappings.uids, gidMappings: users.mappings.gids } : {}),
    devices: furniture.devices,
    maskedPaths: furniture.maskedPaths,
    seccomp: buildSeccomp(options, capabilities),
    rootfsPropagation: "shared",
    ...(options.personality === "x86" || options.personality === "arm" ? { personality: { domain: "LINUX32" } } : {}),
    ...limitDevices(users, context),
  };
}

/** Whose root is the host's root could reach its disks by any device node. In a user namespace no node that it makes opens. */
function limitDevices(users: Users, { host }: NspawnContext): Pick<Linux, "resources"> {
  if (users.mappings || host.cgroup.controllers["devices"]?.version !== 1) return {};
  const rules: DeviceRule[] = [{ allow: false, access: "rwm" }];
  return { resources: { devices: rules } };
}

function buildExtension(options: NspawnOptions, decided: Decided, furniture: Furniture, mounts: Mount[], notes: Notes): Extension {
  const { tree, console, program } = decided;
  const boot = options.mode === "boot";
  const machine: Machine = {
    root: tree.path, class: "container", uuid: decided.uuid, boot, console, reboots: boot,
    locks: [{ path: tree.path, exclusive: !options.readOnly }],
    ...(decided.cgroups === "none" ? {} : { delegate: decided.cgroups === "legacy" ? "systemd" as const : "unified" as const }),
    ...(options.quiet || console === "pipe" ? {} : { sayings: describe(tree, console) }),
  };
  return {
    name: tree.name,
    machine,
    terminal: console === "pipe" ? "never" : "always",
    candidates: program.candidates,
    keyring: true,
    exactModes: true,
    files: [...furniture.files, ...furniture.finish(mounts.length)],
    stopSignal: options.killSignal ?? (boot ? "SIGRTMIN+3" : "SIGKILL"),
    ...(options.mode === "pid2" ? { init: true } : {}),
    ...(decided.privateNetwork ? { loopback: true } : {}),
    origins: notes.origins,
    voice: { prefix: "", exitCode: EXIT_FAILURE, sayings: describeFailures(tree), exec: { saying: `execv(${program.args[0]}) failed`, notFound: EXIT_FAILURE, other: EXIT_FAILURE } },
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

function describeFailures({ name, path }: Tree): Record<string, string> {
  return {
    "/annotations/dev.brig.machine/locks/0": `Directory tree ${path} is currently busy`,
    "/annotations/dev.brig.name": `Machine ${name} exists already`,
    "/mounts/0": `Failed to mount ${path} as the root`,
  };
}
