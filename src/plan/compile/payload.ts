import { RLIMIT_INFINITY, RLIMIT_NAMES } from "../../spec/rlimit-names.js";
import type { Extension } from "../../spec/extension.js";
import { SLOT_NONE } from "../format.js";
import { compileSeccomp } from "../seccomp/compile.js";
import { compileCapabilities, compileInitRestrictions, restrictsEarly, setsCapabilities } from "./capabilities.js";
import { addStep, type Context, leaveOut, refuse, takeSlot } from "./context.js";
import { compileUser, findCurrentIds } from "./identity.js";
import { compileLandlock } from "./landlock.js";
import { usesProcessLimit } from "./pids.js";
import { compileEnvironment, compileHandedOn, compileLocks, compileWait } from "./descriptors.js";
import { compileScheduling } from "./scheduling.js";
import { findSignal } from "./signals.js";
import { compileSession } from "./terminal.js";
import { compileWatch } from "./watch.js";

const U64_MAX = (1n << 64n) - 1n;
const RLIMIT_NPROC = 6;
const O_PATH_DIRECTORY = 0o10000000 | 0o200000;

/**
 * The process that becomes the payload. What needs rights comes before the identity, the identity before what only
 * takes rights away, and seccomp last, since it refuses what all the others call.
 */
export function compilePayload(context: Context): void {
  compileWait(context);
  compileSession(context);
  compileScheduling(context);
  compilePersonality(context);
  compileLimits(context);
  compileUser(context, setsCapabilities(context));
  compileEnvironment(context);
  compileCwd(context);
  compileParentDeath(context);
  const { process } = context.spec;
  if (context.extension.exactModes) addStep(context, "payload", { op: "UMASK", mask: 0xffffffff }, "/annotations/dev.brig.exactModes");
  if (process?.user?.umask !== undefined) addStep(context, "payload", { op: "UMASK", mask: process.user.umask }, "/process/user/umask");
  compileSecurityLabels(context);
  if (context.extension.securebits !== undefined) addStep(context, "payload", { op: "SECUREBITS", bits: context.extension.securebits }, "/annotations/dev.brig.securebits");
  for (const descriptor of context.extension.keepFds ?? []) addStep(context, "payload", { op: "KEEP_FD", descriptor }, "/annotations/dev.brig.keepFds");
  const filtersUnprivileged = process?.noNewPrivileges === true;
  // without no_new_privs the kernel takes a filter or Landlock rules only from CAP_SYS_ADMIN, which is dropped below
  if (!filtersUnprivileged) compileFilters(context);
  compileCapabilities(context);
  if (filtersUnprivileged) {
    addStep(context, restrictsEarly(context) ? "child" : "payload", { op: "NO_NEW_PRIVS" }, "/process/noNewPrivileges");
    compileFilters(context);
  }
  compileHandedOn(context);
  compileExec(context);
  if (context.extension.init && !context.inPlace) compileInitRestrictions(context);
  compileLocks(context);
}

function compileFilters(context: Context): void {
  compileLandlock(context);
  compileSeccompStep(context);
}

const PERSONALITIES: Record<string, number> = { LINUX: 0, LINUX32: 8 };

function compilePersonality(context: Context): void {
  const { personality } = context.spec.linux ?? {};
  if (!personality) return;
  const value = PERSONALITIES[personality.domain];
  if (value === undefined || personality.flags?.length)
    throw refuse(context.extension, "/linux/personality", "BRIG_BAD_SPEC", `there is no personality ${[personality.domain, ...(personality.flags ?? [])].join(" ")}`, "LINUX or LINUX32, without flags");
  addStep(context, "payload", { op: "PERSONALITY", value }, "/linux/personality");
}

function compileLimits(context: Context): void {
  const { rlimits = [] } = context.spec.process ?? {};
  const processLimit = usesProcessLimit(context) ? countProcesses(context) : undefined;
  rlimits.forEach(({ type, soft, hard }, index) => {
    const pointer = `/process/rlimits/${index}`;
    const resource = RLIMIT_NAMES.indexOf(type);
    if (resource < 0) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `there is no limit ${type}`, "see getrlimit(2)");
    const least = (value: number): bigint => {
      const wide = toLimit(value);
      return resource === RLIMIT_NPROC && processLimit !== undefined && processLimit < wide ? processLimit : wide;
    };
    addStep(context, "payload", { op: "RLIMIT", resource, soft: least(soft), hard: least(hard) }, pointer);
  });
  if (processLimit === undefined || rlimits.some(({ type }) => type === "RLIMIT_NPROC")) return;
  addStep(context, "payload", { op: "RLIMIT", resource: RLIMIT_NPROC, soft: processLimit, hard: processLimit }, "/linux/resources/pids/limit");
}

/** brig's init is one more process of the same user, and not the payload's to pay for. */
function countProcesses(context: Context): bigint {
  const limit = context.spec.linux?.resources?.pids?.limit ?? 0;
  const user = context.spec.process?.user?.uid;
  const same = user === undefined || findCurrentIds(context)?.uid === user;
  return BigInt(limit) + (context.extension.init && same ? 1n : 0n);
}

function toLimit(value: number): bigint {
  return value < 0 || value >= RLIMIT_INFINITY ? U64_MAX : BigInt(Math.floor(value));
}

function compileCwd(context: Context): void {
  const { spec, extension } = context;
  if (!spec.process || extension.cwd === "stay") return;
  const pointer = "/process/cwd";
  if (extension.cwdCandidates) return addStep(context, "payload", { op: "CWD_FIRST", paths: extension.cwdCandidates }, pointer);
  if (extension.cwd !== "held") return addStep(context, "payload", { op: "CWD", path: spec.process.cwd, create: 0 }, pointer);
  const slot = takeSlot(context);
  addStep(context, "host", { op: "OPEN", slot, path: spec.process.cwd, flags: O_PATH_DIRECTORY }, pointer);
  addStep(context, "payload", { op: "FCHDIR", slot }, pointer);
}

function compileParentDeath(context: Context): void {
  const { extension } = context;
  if (!extension.parentDeathSignal) return;
  const pointer = "/annotations/dev.brig.parentDeathSignal";
  addStep(context, "payload", { op: "PARENT_DEATH", signal: findSignal(extension, pointer, extension.parentDeathSignal) }, pointer);
}

/** AppArmor's and SELinux's labels take effect at the exec; a host without the module cannot enforce them. */
function compileSecurityLabels(context: Context): void {
  const { process, linux } = context.spec;
  const refuseLabel = (pointer: string, what: string): Error =>
    refuse(context.extension, pointer, "BRIG_CANNOT_LABEL", `${what} cannot be enforced by brig`, "leave it out, or run the bundle with runc or crun");
  if (process?.apparmorProfile && process.apparmorProfile !== "unconfined") throw refuseLabel("/process/apparmorProfile", `the AppArmor profile ${process.apparmorProfile}`);
  if (process?.selinuxLabel) throw refuseLabel("/process/selinuxLabel", `the SELinux label ${process.selinuxLabel}`);
  if (linux?.mountLabel) throw refuseLabel("/linux/mountLabel", `the SELinux mount label ${linux.mountLabel}`);
  if (linux?.intelRdt) throw refuseLabel("/linux/intelRdt", "Intel RDT");
}

function compileSeccompStep(context: Context): void {
  const { seccomp } = context.spec.linux ?? {};
  if (context.extension.watch && !(seccomp && usesNotify(seccomp))) return compileWatch(context);
  if (!seccomp) return;
  const pointer = "/linux/seccomp";
  if (seccomp.listenerPath || usesNotify(seccomp))
    throw refuse(context.extension, pointer, "BRIG_CANNOT_NOTIFY", "seccomp rules that ask a listener (SCMP_ACT_NOTIFY) are not supported", "let the rules allow or refuse");
  const { program, flags, unknown } = compileSeccomp(seccomp);
  if (unknown.length > 0) leaveOut(context, `seccomp rules name calls that no kernel has: ${unknown.join(", ")}`);
  addStep(context, "payload", { op: "SECCOMP", filter: program, flags, listener: SLOT_NONE }, pointer);
}

function usesNotify(seccomp: { defaultAction: string; syscalls?: { action: string }[] }): boolean {
  return [seccomp.defaultAction, ...(seccomp.syscalls ?? []).map(({ action }) => action)].includes("SCMP_ACT_NOTIFY");
}

function compileExec(context: Context): void {
  const { spec, extension } = context;
  const { args, env = [] } = spec.process ?? {};
  if (extension.noPayload || !args) return;
  const [program] = args;
  if (program === undefined || program === "") throw refuse(extension, "/process/args", "BRIG_BAD_SPEC", "there is no program to execute", "name one behind --");
  const candidates = extension.candidates ?? (program.includes("/") ? [program] : listCandidates(program, env));
  addStep(context, "payload", { op: "EXEC", candidates, argv: args, environment: extension.environment ? [] : env, saying: findSaying(extension) }, "/process/args");
}

/** What a tool says of a program that cannot be executed; a name may hold what moves a terminal's cursor. */
function findSaying({ voice }: Extension): string {
  // eslint-disable-next-line no-control-regex
  return voice ? `${voice.prefix}${voice.exec.saying}`.replace(/[\u0000-\u001f\u007f]/g, "?") : "";
}

/** The payload's own PATH, looked through in its own root (execvp(3)). */
function listCandidates(program: string, env: string[]): string[] {
  const path = env.find((variable) => variable.startsWith("PATH="))?.slice(5) || "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return [...new Set(path.split(":").filter((folder) => folder.startsWith("/")).map((folder) => `${folder.replace(/\/+$/, "")}/${program}`))];
}

/** Init keeps what CHILD did: these belong to the first process, and so to all. */
export function compileFirstProcess(context: Context): void {
  const { process } = context.spec;
  if (process?.oomScoreAdj !== undefined) addStep(context, "child", { op: "OOM_SCORE", value: String(process.oomScoreAdj) }, "/process/oomScoreAdj");
  if (context.extension.keyring) addStep(context, "child", { op: "KEYRING" }, "/annotations/dev.brig.keyring");
}
