import { basename } from "node:path";
import { resolveInRoot } from "../../host/read-in-root.js";
import type { Machine } from "../../spec/extension.js";
import type { NspawnContext } from "./context.js";
import { type BoundUsers, planBoundUsers } from "./bind-users.js";
import { type NetworkPlan, planNetwork } from "./network.js";
import type { NspawnOptions } from "./options.js";
import { findProgram, type Program } from "./program.js";
import { decideUuid, type Tree } from "./root.js";
import { decideUsers, type Users } from "./users.js";
import { findTree } from "./root.js";
import { refuseWords } from "./values.js";

/** A machine with everything decided that its words leave open. */
export interface Decided {
  tree: Tree;
  users: Users;
  bound: BoundUsers;
  uuid: string;
  program: Program;
  console: Machine["console"];
  network: NetworkPlan;
  cgroups: "unified" | "legacy" | "none";
}

/** @throws BrigError BRIG_BAD_OPTION */
export function decide(options: NspawnOptions, context: NspawnContext): Decided {
  if (options.selinuxContext !== undefined || options.selinuxApifsContext !== undefined) throw refuseWords("SELinux labels are not supported by brig.", "leave -Z and -L out");
  const tree = findTree(options, context);
  const program = findProgram(options, context, tree);
  const cgroups = decideCgroups(context);
  if (options.mode === "boot" && cgroups === "none" && context.host.euid !== 0) checkInit(program, tree);
  const bound = planBoundUsers(options, context, decideUsers(options, context, tree));
  return {
    tree,
    users: bound.users,
    bound,
    uuid: decideUuid(options, context, tree),
    program,
    console: options.console ?? ((context.terminals & 3) === 3 ? "interactive" : "read-only"),
    network: planNetwork(options, context, tree.name),
    cgroups,
  };
}

/** systemd sorts its services in cgroups, and does not start without any that it can write. */
function checkInit({ candidates }: Program, tree: Tree): void {
  const init = resolveInRoot(tree.path, candidates[0]!);
  if (init === undefined || basename(init) !== "systemd") return;
  throw refuseWords("systemd cannot be booted here by an ordinary user: it needs a cgroup of its own, and none was delegated to you.", "systemd-run --user --scope -p Delegate=yes brig nspawn -b …; other inits need none");
}

/** $SYSTEMD_NSPAWN_UNIFIED_HIERARCHY, else what the host has; an ordinary user can hand on what was delegated to him. */
function decideCgroups({ env, host }: NspawnContext): Decided["cgroups"] {
  const asked = env["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"];
  if (host.euid !== 0) return host.cgroup.unified?.writable ? "unified" : "none";
  if (asked === "0" && host.cgroup.systemd?.writable) return "legacy";
  if (host.cgroup.unified?.writable) return "unified";
  return host.cgroup.systemd?.writable ? "legacy" : "none";
}
