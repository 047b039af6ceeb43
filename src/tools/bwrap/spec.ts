import type { Descriptors, Extension } from "../../spec/extension.js";
import { writeExtension } from "../../spec/extension.js";
import type { Linux, Namespace, Process, Spec } from "../../spec/oci.js";
import { type Notes, startNotes } from "../grammar/origins.js";
import { listCandidates } from "../grammar/program.js";
import { buildCapabilities } from "./capabilities.js";
import type { BwrapContext } from "./context.js";
import { decide, type Decided } from "./decide.js";
import { buildEnvironment, type Environment, lookUp } from "./environment.js";
import { type BwrapOptions, EXIT_FAILURE } from "./options.js";
import { buildRoot, type Root } from "./root.js";

const STILL_POSSIBLE = "creation of new user namespaces was not disabled as requested";
const BAD_FILTER = "Invalid seccomp data, must be multiple of 8";

/**
 * What bwrap(1) was asked for, as a spec: an empty root with the operations in their order, and whatever no word
 * changes as the caller has it.
 * @throws BrigError BRIG_BAD_OPTION with bwrap's message
 */
export function buildBwrapSpec(asked: BwrapOptions, context: BwrapContext): Spec {
  const notes = startNotes();
  const decided = decide(asked, context);
  const environment = buildEnvironment(asked);
  const root = buildRoot(asked.operations, context, notes, decided.unshare.has("pid") || asked.pidns !== undefined);
  const spec: Spec = { ociVersion: "1.2.0", process: buildProcess(asked, context, decided, environment), mounts: root.mounts, linux: buildLinux(asked, context, decided, root, notes) };
  if (asked.hostname !== undefined) {
    spec.hostname = asked.hostname;
    notes.add("/hostname", `--hostname ${asked.hostname}`, `Can't set hostname to ${asked.hostname}`);
  }
  return writeExtension(spec, buildExtension(asked, context, decided, environment, root, notes));
}

function buildProcess(asked: BwrapOptions, context: BwrapContext, decided: Decided, environment: Environment): Process {
  const process: Process = {
    cwd: "/",
    args: [asked.argv0 ?? asked.command[0]!, ...asked.command.slice(1)],
    env: [...environment.set].map(([name, value]) => `${name}=${value}`),
    noNewPrivileges: true,
  };
  const capabilities = buildCapabilities(asked, context, decided.unshare.has("user") || asked.userns !== undefined);
  if (capabilities) process.capabilities = capabilities;
  return process;
}

function buildLinux(asked: BwrapOptions, context: BwrapContext, decided: Decided, root: Root, notes: Notes): Linux {
  const namespaces: Namespace[] = [{ type: "mount" }];
  for (const [type, text] of decided.unshare) {
    notes.add(`/linux/namespaces/${namespaces.length}`, text);
    namespaces.push({ type });
  }
  const join = (type: "user" | "pid", fd: number | undefined, saying: string): void => {
    if (fd === undefined) return;
    notes.add(`/linux/namespaces/${namespaces.length}`, type === "user" ? `--userns ${fd}` : `--pidns ${fd}`, saying);
    namespaces.push({ type, path: `/proc/self/fd/${fd}` });
  };
  join("user", asked.userns, "Joining specified user namespace failed");
  join("pid", asked.pidns, "Setting pidns failed");
  notes.sayings[""] = notes.sayings["/linux/namespaces"] = "Creating new namespace failed";
  const linux: Linux = { namespaces, rootfsPropagation: "rslave" };
  notes.sayings["/process/capabilities"] = "capset failed";
  notes.sayings["/linux/rootfsPropagation"] = "Failed to make / slave";
  if (decided.unshare.has("user") && asked.usernsBlockFd === undefined) {
    const ids = decided.outer;
    linux.uidMappings = [{ containerID: ids.uid, hostID: context.euid, size: 1 }];
    linux.gidMappings = [{ containerID: ids.gid, hostID: context.egid, size: 1 }];
    notes.sayings["/linux/uidMappings"] = "setting up uid map";
    notes.sayings["/linux/gidMappings"] = "setting up gid map";
  }
  if (root.readonlyPaths.length > 0) linux.readonlyPaths = root.readonlyPaths;
  return linux;
}

function buildExtension(asked: BwrapOptions, context: BwrapContext, decided: Decided, environment: Environment, root: Root, notes: Notes): Extension {
  const [name] = asked.command as [string];
  const path = lookUp(environment, context.env, "PATH");
  const extension: Extension = {
    candidates: name.includes("/") ? [name] : listCandidates(name, path, "."),
    environment: { inherit: environment.inherit, unset: [...environment.unset] },
    cwdCandidates: listFolders(asked, context, environment, notes),
    terminal: asked.newSession ? "never" : "plain",
    stateless: true,
    bindsInside: true,
    exactModes: true,
    files: root.files,
    descriptors: buildDescriptors(asked, notes),
  };
  if (root.mounts[0]?.destination !== "/") extension.rootTmpfs = {};
  if (root.optionalBinds.length > 0) extension.optionalBinds = root.optionalBinds;
  if (root.overlayOnTmpfs.length > 0) extension.overlayOnTmpfs = root.overlayOnTmpfs;
  if (decided.init) extension.init = true;
  if (decided.unshare.has("network")) extension.loopback = true;
  if (asked.dieWithParent) Object.assign(extension, { dieWithParent: true, parentDeathSignal: "SIGKILL" });
  addUsers(extension, asked, decided, notes);
  addLocks(extension, asked, notes);
  return { ...extension, origins: notes.origins, voice: makeVoice(asked, name, notes) };
}

function makeVoice({ levelPrefix }: BwrapOptions, name: string, { sayings }: Notes): NonNullable<Extension["voice"]> {
  return { prefix: levelPrefix ? "<3>bwrap: " : "bwrap: ", exitCode: EXIT_FAILURE, sayings, whole: [STILL_POSSIBLE, BAD_FILTER], exec: { saying: `execvp ${name}`, notFound: EXIT_FAILURE, other: EXIT_FAILURE } };
}

/** Where the program begins: bwrap(1), "HOME". */
function listFolders(asked: BwrapOptions, { cwd, env }: BwrapContext, environment: Environment, notes: Notes): string[] {
  if (asked.chdir !== undefined) {
    notes.add("/process/cwd", `--chdir ${asked.chdir}`, `Can't chdir to ${asked.chdir}`);
    return [asked.chdir];
  }
  const home = lookUp(environment, env, "HOME");
  return [...new Set([cwd, ...(home ? [home] : []), "/"])];
}

function addUsers(extension: Extension, asked: BwrapOptions, decided: Decided, notes: Notes): void {
  const { outer, uid, gid } = decided;
  const mapped = decided.unshare.has("user") && asked.usernsBlockFd === undefined;
  if (mapped && (asked.disableUserns || outer.uid !== uid || outer.gid !== gid)) extension.nestedUsers = { uid, gid, last: asked.disableUserns };
  if (asked.userns2 !== undefined) {
    extension.joinUsersLast = `/proc/self/fd/${asked.userns2}`;
    notes.add("/annotations/dev.brig.joinUsersLast", `--userns2 ${asked.userns2}`, "Setting userns2 failed");
  }
  if (!asked.disableUserns && !asked.assertUsernsDisabled) return;
  extension.noUserNamespaces = true;
  notes.add("/annotations/dev.brig.noUserNamespaces", asked.disableUserns ? "--disable-userns" : "--assert-userns-disabled", STILL_POSSIBLE);
}

function addLocks(extension: Extension, { locks }: BwrapOptions, notes: Notes): void {
  if (locks.length === 0) return;
  extension.locks = locks.map((path) => (path.startsWith("/") ? path : `/${path}`));
  locks.forEach((path, index) => {
    notes.add(`/annotations/dev.brig.locks/${index}`, `--lock-file ${path}`, `Unable to lock file ${path}`);
    notes.sayings[`/annotations/dev.brig.locks/${index}#open`] = `Unable to open lock file ${path}`;
  });
}

function buildDescriptors(asked: BwrapOptions, notes: Notes): Descriptors {
  const { syncFd, infoFd, jsonStatusFd, blockFd, usernsBlockFd, seccomp, argsFds, userns, userns2, pidns } = asked;
  const consumed = asked.operations.flatMap((one) => ("fd" in one ? [one.fd] : []));
  const named = [syncFd, infoFd, jsonStatusFd, blockFd, usernsBlockFd, userns, userns2, pidns, ...seccomp, ...argsFds, ...consumed];
  const pointer = "/annotations/dev.brig.descriptors";
  seccomp.forEach((fd, index) => {
    notes.add(`${pointer}/seccomp/${index}`, `--seccomp ${fd}`, "prctl(PR_SET_SECCOMP)");
    notes.sayings[`${pointer}/seccomp/${index}#read`] = "Can't read seccomp data";
    notes.sayings[`${pointer}/seccomp/${index}#length`] = BAD_FILTER;
  });
  const descriptors: Descriptors = { passAllBut: [...new Set(named)].filter((fd) => fd !== undefined && fd > 2) as number[] };
  if (syncFd !== undefined) descriptors.hold = [syncFd];
  if (infoFd !== undefined) descriptors.info = infoFd;
  if (jsonStatusFd !== undefined) descriptors.status = jsonStatusFd;
  if (blockFd !== undefined) descriptors.waitFor = blockFd;
  if (usernsBlockFd !== undefined) descriptors.waitForMaps = usernsBlockFd;
  if (seccomp.length > 0) descriptors.seccomp = seccomp;
  return descriptors;
}
