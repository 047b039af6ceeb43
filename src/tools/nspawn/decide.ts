import type { Machine } from "../../spec/extension.js";
import type { NspawnContext } from "./context.js";
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
  return {
    tree,
    users: decideUsers(options, context, tree),
    uuid: decideUuid(options, context, tree),
    program: findProgram(options, context, tree),
    console: options.console ?? ((context.terminals & 3) === 3 ? "interactive" : "read-only"),
    network: planNetwork(options, context, tree.name),
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
