import type { Extension } from "../../spec/extension.js";
import { UNCHANGED_ID } from "../grammar/numbers.js";
import { writeExtension } from "../../spec/extension.js";
import type { Mount, Process, Spec } from "../../spec/oci.js";
import { allCapabilities } from "../grammar/capabilities.js";
import type { ToolContext } from "../grammar/context.js";
import { namespaceOption } from "../grammar/namespaces.js";
import { addIdentitySayings, startNotes, type Notes } from "../grammar/origins.js";
import { findProgram, CALLERS_ENVIRONMENT, resolveFrom } from "../grammar/program.js";
import { EXIT_FAILURE, type UnshareOptions } from "./grammar.js";
import { buildLinux } from "./linux.js";

/**
 * What unshare(1) was asked for, as a spec. The payload runs in the caller's root and terminal, with what the caller
 * has of identity, limits and environment: only what was asked for is new.
 *
 * Two things need a process outside: maps of more than one id, and bind mounts of namespaces that come with a new
 * mount or user namespace. There brig stays as the parent, as it does with --fork.
 */
export function buildUnshareSpec(asked: UnshareOptions, context: ToolContext): Spec {
  const notes = startNotes();
  const linux = buildLinux(asked, context, notes);
  const cwd = findWorkingFolder(asked, context);
  const program = findProgram(asked.command, context.env, cwd);
  const process: Process = {
    cwd,
    args: program.args,
    env: [],
    ...buildIdentity(asked, context, notes),
  };
  const spec: Spec = { ociVersion: "1.2.0", process, linux };
  const mounts = buildMounts(asked, cwd, notes);
  if (mounts.length > 0) spec.mounts = mounts;
  return writeExtension(spec, buildExtension(asked, context, program.candidates, notes));
}

// chdir(2) behind chroot(2): "/" unless --wd says otherwise, and a relative --wd counts from there, so that the
// payload never starts in a folder outside of its root.
function findWorkingFolder({ root, wd }: UnshareOptions, { cwd }: ToolContext): string {
  const base = root ? "/" : cwd;
  return wd ? resolveFrom(base, wd.value) : base;
}

function buildIdentity(asked: UnshareOptions, context: ToolContext, notes: Notes): Partial<Process> {
  const identity: Partial<Process> = {};
  if (asked.setuid || asked.setgid) {
    identity.user = { uid: asked.setuid?.value ?? UNCHANGED_ID, gid: asked.setgid?.value ?? UNCHANGED_ID };
    // Only --setgid drops the supplementary groups.
    if (asked.setgid) identity.user.additionalGids = [];
    addIdentitySayings(notes, [asked.setgid?.text, asked.setuid?.text]);
  }
  if (asked.keepCaps && asked.namespaces.has("user")) {
    identity.capabilities = allCapabilities(context.capLast);
    notes.add("/process/capabilities", asked.keepCaps.text, "prctl failed");
  }
  return identity;
}

function buildMounts({ mountProc }: UnshareOptions, cwd: string, notes: Notes): Mount[] {
  if (!mountProc) return [];
  notes.add("/mounts/0", mountProc.text, `mount ${mountProc.value} failed`);
  const destination = resolveFrom(cwd, mountProc.value);
  return [{ destination, type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] }];
}

function buildExtension(asked: UnshareOptions, { cwd }: ToolContext, candidates: string[], notes: Notes): Extension {
  const extension: Extension = {
    candidates,
    terminal: "plain",
    stateless: true,
    environment: CALLERS_ENVIRONMENT,
    inPlace: !asked.fork && !needsParent(asked),
  };
  if (asked.root) {
    extension.chroot = { path: resolveFrom(cwd, asked.root.value) };
    notes.add("/annotations/dev.brig.chroot", asked.root.text, `cannot change root directory to '${asked.root.value}'`);
  }
  if (asked.wd) notes.add("/process/cwd", asked.wd.text, `cannot chdir to '${asked.wd.value}'`);
  else if (!asked.root) extension.cwd = "stay";
  if (asked.killChild) extension.parentDeathSignal = asked.killChild.value;
  if (asked.setgroups) extension.setgroups = asked.setgroups.value;
  addPersist(extension, asked, cwd, notes);
  extension.origins = notes.origins;
  extension.voice = {
    prefix: "unshare: ",
    exitCode: EXIT_FAILURE,
    sayings: notes.sayings,
    exec: { saying: `failed to execute ${asked.command[0] ?? candidates[0]}`, notFound: 127, other: 126 },
  };
  return extension;
}

function needsParent(asked: UnshareOptions): boolean {
  const persists = [...asked.namespaces.values()].some(({ file }) => file !== undefined);
  const apart = asked.namespaces.has("mount") || asked.namespaces.has("user");
  return asked.mapUsers !== undefined || asked.mapGroups !== undefined || (persists && apart);
}

function addPersist(extension: Extension, asked: UnshareOptions, cwd: string, notes: Notes): void {
  const kept = [...asked.namespaces].flatMap(([type, { file, text }]) => (file === undefined ? [] : [{ type, file, text }]));
  if (kept.length === 0) return;
  extension.persist = kept.map(({ type, file }) => ({ type: namespaceOption(type).file, path: resolveFrom(cwd, file) }));
  kept.forEach(({ type, file, text }, index) => {
    const source = `/proc/self/ns/${namespaceOption(type).file}`;
    notes.add(`/annotations/dev.brig.persist/${index}`, text, `mount ${source} on ${file} failed`);
  });
}
