import { UNCHANGED_ID } from "../grammar/numbers.js";
import { writeExtension, type Extension } from "../../spec/extension.js";
import type { Linux, Process, Spec } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import { startNotes, type Notes } from "../grammar/origins.js";
import { listCandidates, CALLERS_ENVIRONMENT, resolveFrom } from "../grammar/program.js";
import type { Identity } from "./accounts.js";
import { EXIT_CANCELED, type ChrootOptions } from "./grammar.js";
import { listMounts } from "./mounts.js";

/** What chroot(1) was asked for, as a spec: chroot(2) and an identity, and nothing that separates from the host but mounts that were asked for. */
export function buildChrootSpec(asked: ChrootOptions, identity: Identity, context: ToolContext): Spec {
  const notes = startNotes();
  const command = defaultCommand(asked.command, context.env);
  const cwd = asked.skipChdir ? context.cwd : "/";
  const process: Process = { cwd, args: command, env: [] };
  const user = buildUser(identity);
  if (user) {
    process.user = user;
    notes.add("/process/user", [asked.userspec?.text, asked.groups?.text].filter(Boolean).join(" "), "failed to set user-ID");
    notes.sayings["/process/user#setgroups"] = "failed to set supplementary groups";
    notes.sayings["/process/user#setresgid"] = "failed to set group-ID";
  }
  const candidates = listCandidates(command[0]!, context.env.PATH, cwd);
  const mounts = listMounts(asked, resolveFrom(context.cwd, asked.newRoot), notes);
  const linux: Linux = mounts.length > 0 ? { namespaces: [{ type: "mount" }], rootfsPropagation: "rprivate" } : { namespaces: [] };
  const spec: Spec = { ociVersion: "1.2.0", process, ...(mounts.length > 0 ? { mounts } : {}), linux };
  return writeExtension(spec, buildExtension(asked, candidates, command[0]!, context, notes));
}

/** `"$SHELL" -i` where no command is given. */
export function defaultCommand(command: string[], env: Record<string, string | undefined>): string[] {
  return command.length > 0 ? command : [env.SHELL || "/bin/sh", "-i"];
}

/** As gnulib's quote: curly where the locale is UTF-8. */
export function quoteFor(env: Record<string, string | undefined>): (text: string) => string {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return /utf-?8/i.test(locale) ? (text) => `‘${text}’` : (text) => `'${text}'`;
}

function buildUser({ uid, gid, groups }: Identity): Process["user"] {
  if (uid === undefined && gid === undefined && groups === undefined) return undefined;
  const user = { uid: uid ?? UNCHANGED_ID, gid: gid ?? UNCHANGED_ID };
  return groups ? { ...user, additionalGids: groups } : user;
}

function buildExtension(asked: ChrootOptions, candidates: string[], name: string, context: ToolContext, notes: Notes): Extension {
  notes.add("/annotations/dev.brig.chroot", asked.newRoot, `cannot change root directory to '${asked.newRoot}'`);
  const chroot = { path: resolveFrom(context.cwd, asked.newRoot), ...(asked.skipChdir ? { skipChdir: true } : {}) };
  const extension: Extension = { candidates, terminal: "plain", stateless: true, environment: CALLERS_ENVIRONMENT, inPlace: true, chroot, origins: notes.origins };
  if (asked.skipChdir) extension.cwd = "stay";
  extension.voice = {
    prefix: "chroot: ",
    exitCode: EXIT_CANCELED,
    sayings: notes.sayings,
    exec: { saying: `failed to run command ${quoteFor(context.env)(name)}`, notFound: 127, other: 126 },
  };
  return extension;
}
