import type { BwrapContext } from "./context.js";
import type { BwrapOptions, UnsharedType } from "./options.js";
import { refuseWords } from "./values.js";

/** What follows from the words on this host, and what of them contradicts itself. */
export interface Decided {
  /** New namespaces besides mount, with who asked. */
  unshare: Map<UnsharedType, string>;
  uid: number;
  gid: number;
  /** The ids in the user namespace that owns the mounts: a new devpts belongs to its root, who has to be mapped. */
  outer: { uid: number; gid: number };
  /** A first process of bwrap's stays as parent of the program. */
  init: boolean;
}

/** @throws BrigError BRIG_BAD_OPTION with bwrap's message */
export function decide(asked: BwrapOptions, context: BwrapContext): Decided {
  const unshare = new Map(asked.unshare);
  if (asked.userns !== undefined && unshare.has("user")) throw refuseWords("--userns not compatible --unshare-user");
  if (asked.userns !== undefined && asked.userTry !== undefined) throw refuseWords("--userns not compatible --unshare-user-try");
  if (asked.disableUserns && !unshare.has("user")) throw refuseWords("--disable-userns requires --unshare-user");
  if (asked.disableUserns && asked.usernsBlockFd !== undefined) throw refuseWords("--disable-userns is not compatible with  --userns-block-fd");
  if (context.euid !== 0 && asked.userns === undefined && !unshare.has("user")) unshare.set("user", "an ordinary user's mounts need one");
  if (asked.userTry !== undefined && context.userNamespaces && !unshare.has("user")) unshare.set("user", asked.userTry);
  if (asked.cgroupTry !== undefined && !unshare.has("cgroup")) unshare.set("cgroup", asked.cgroupTry);
  checkDependencies(asked, unshare, context);
  const ids = { uid: asked.uid ?? context.euid, gid: asked.gid ?? context.egid };
  return {
    unshare,
    ...ids,
    outer: asked.operations.some(({ kind }) => kind === "dev") ? { uid: 0, gid: 0 } : ids,
    init: !asked.asPid1 && (unshare.has("pid") || asked.locks.length > 0 || asked.syncFd !== undefined),
  };
}

function checkDependencies(asked: BwrapOptions, unshare: Map<UnsharedType, string>, { euid, egid }: BwrapContext): void {
  const users = unshare.has("user") || asked.userns !== undefined;
  if (asked.usernsBlockFd !== undefined && !unshare.has("user")) throw refuseWords("--userns-block-fd requires --unshare-user");
  if (asked.usernsBlockFd !== undefined && asked.infoFd === undefined) throw refuseWords("--userns-block-fd requires --info-fd");
  if (!users && asked.uid !== undefined && asked.uid !== euid) throw refuseWords("Specifying --uid requires --unshare-user or --userns");
  if (!users && asked.gid !== undefined && asked.gid !== egid) throw refuseWords("Specifying --gid requires --unshare-user or --userns");
  if (!unshare.has("uts") && asked.hostname !== undefined) throw refuseWords("Specifying --hostname requires --unshare-uts");
  if (asked.asPid1 && !unshare.has("pid")) throw refuseWords("Specifying --as-pid-1 requires --unshare-pid");
  if (asked.asPid1 && asked.locks.length > 0) throw refuseWords("Specifying --as-pid-1 and --lock-file is not permitted");
  if (asked.pidns !== undefined && unshare.has("pid"))
    throw refuseWords("--pidns with --unshare-pid is not supported by brig", "leave one of the two out");
}
