import { writeExtension, type Extension } from "../../spec/extension.js";
import type { Namespace, NamespaceType, Process, Spec } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import { describeErrno } from "../../error/errno.js";
import { namespaceOption, namespaceOptions } from "../grammar/namespaces.js";
import { badValue, UNCHANGED_ID } from "../grammar/numbers.js";
import { addIdentitySayings, startNotes, type Notes } from "../grammar/origins.js";
import { findProgram, CALLERS_ENVIRONMENT, resolveFrom } from "../grammar/program.js";
import { EXIT_FAILURE, type NsenterOptions } from "./grammar.js";

/**
 * What nsenter(1) was asked for, as a spec: namespaces to join, in this order, and nothing else new. A pid namespace
 * is only entered by children, so brig then stays as the parent unless --no-fork says otherwise.
 * @throws BrigError BRIG_NO_NAMESPACE when a namespace file cannot be opened
 */
export function buildNsenterSpec(asked: NsenterOptions, context: ToolContext): Spec {
  const notes = startNotes();
  const namespaces = listNamespaces(asked, context, notes);
  const cwd = findWorkingFolder(asked, namespaces, context);
  const program = findProgram(asked.command, context.env, cwd.path);
  const joinsUser = namespaces.some(({ type }) => type === "user");
  const process: Process = {
    cwd: cwd.path,
    args: program.args,
    env: [],
    ...buildIdentity(asked, joinsUser, notes),
  };
  const extension: Extension = {
    candidates: program.candidates,
    terminal: "plain",
    stateless: true,
    environment: CALLERS_ENVIRONMENT,
    inPlace: asked.noFork === true || !namespaces.some(({ type }) => type === "pid"),
  };
  if (cwd.how) extension.cwd = cwd.how;
  addRoot(extension, asked, context, notes);
  extension.origins = notes.origins;
  extension.voice = {
    prefix: "nsenter: ",
    exitCode: EXIT_FAILURE,
    sayings: notes.sayings,
    exec: { saying: `failed to execute ${asked.command[0] ?? program.candidates[0]}`, notFound: 127, other: 126 },
  };
  return writeExtension({ ociVersion: "1.2.0", process, linux: { namespaces } }, extension);
}

function listNamespaces(asked: NsenterOptions, context: ToolContext, notes: Notes): Namespace[] {
  const wanted = new Map(asked.namespaces);
  if (asked.all) for (const type of listTargetNamespaces(asked.target!, context)) if (!wanted.has(type)) wanted.set(type, asked.all);
  const ordered = orderNamespaces([...wanted.keys()], context.privileged);
  return ordered.map((type, index) => {
    const { file, text } = wanted.get(type)!;
    const { file: name } = namespaceOption(type);
    const path = findFile(file, `ns/${name}`, asked.target, context);
    notes.add(`/linux/namespaces/${index}`, text, `reassociate to namespace 'ns/${name}' failed`);
    return { type, path };
  });
}

/**
 * setns(2) into the caller's own user namespace is refused, so --all leaves it out; so it does with what the kernel
 * does not have.
 */
function listTargetNamespaces(target: number, { namespaceId }: ToolContext): NamespaceType[] {
  const user = namespaceId(`/proc/${target}/ns/user`);
  if (user === undefined) throw badValue(`stat of /proc/${target}/ns/user failed: No such process, or not permitted`, EXIT_FAILURE);
  return namespaceOptions
    .filter(({ type, file }) => (type === "user" ? user !== namespaceId("/proc/self/ns/user") : namespaceId(`/proc/self/ns/${file}`)))
    .map(({ type }) => type);
}

/**
 * The user namespace comes last for a caller with rights of its own, which the others need and which entering it
 * gives up; it comes first for one who gets rights only there. A mount namespace hides /proc, so it is entered late.
 */
export function orderNamespaces(types: NamespaceType[], privileged: boolean): NamespaceType[] {
  const order: NamespaceType[] = ["cgroup", "ipc", "uts", "network", "pid", "time", "mount"];
  const full: NamespaceType[] = privileged ? [...order, "user"] : ["user", ...order];
  return full.filter((type) => types.includes(type));
}

function findFile(path: string | undefined, what: string, target: number | undefined, context: ToolContext): string {
  if (path === undefined && target === undefined)
    throw badValue(`neither filename nor target pid supplied for ${what}`, EXIT_FAILURE, "--target PID, or =FILE behind the option");
  const found = path === undefined ? `/proc/${target}/${what}` : resolveFrom(context.cwd, path);
  const error = context.probe(found);
  if (error) throw badValue(`cannot open ${found}: ${describeErrno(error)}`, EXIT_FAILURE);
  return found;
}

interface WorkingFolder {
  path: string;
  how?: "stay" | "held";
}

// A new mount namespace puts the process at its root (setns(2)); with --root brig goes to "/" inside, where nsenter
// stays in a folder that may be outside.
function findWorkingFolder(asked: NsenterOptions, namespaces: Namespace[], context: ToolContext): WorkingFolder {
  if (asked.wdns) return { path: resolveFrom("/", asked.wdns.path) };
  if (asked.wd) return { path: findFile(asked.wd.path, "cwd", asked.target, context), how: "held" };
  if (asked.root) return { path: "/" };
  const moved = namespaces.some(({ type }) => type === "mount");
  return { path: moved ? "/" : context.cwd, how: "stay" };
}

function addRoot(extension: Extension, asked: NsenterOptions, context: ToolContext, notes: Notes): void {
  if (asked.root) {
    extension.chroot = { path: findFile(asked.root.path, "root", asked.target, context), held: true };
    notes.add("/annotations/dev.brig.chroot", asked.root.text, "chroot failed");
  }
  const cwd = asked.wd ?? asked.wdns;
  if (cwd) notes.add("/process/cwd", cwd.text, `cannot chdir to '${cwd.path ?? "the target's working folder"}'`);
}

function buildIdentity(asked: NsenterOptions, joinsUser: boolean, notes: Notes): Partial<Process> {
  const always = joinsUser && !asked.preserveCredentials;
  if (!always && !asked.setuid && !asked.setgid) return {};
  addIdentitySayings(notes, [asked.setuid?.text, asked.setgid?.text, asked.namespaces.get("user")?.text]);
  const changesGid = always || asked.setgid !== undefined;
  const uid = asked.setuid?.value ?? (always ? 0 : UNCHANGED_ID);
  const gid = asked.setgid?.value ?? (always ? 0 : UNCHANGED_ID);
  return { user: { uid, gid, ...(changesGid ? { additionalGids: [] } : {}) } };
}
