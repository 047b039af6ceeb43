import { join } from "node:path";
import { existsSync } from "node:fs";
import { readNumber, readWord } from "./read-text.js";

/** Why the caller cannot use new user namespaces, and the command that changes it. */
export interface UserNamespaceBlock {
  what: string;
  fix: string;
}

/**
 * What keeps the caller from using a new user namespace, or undefined when nothing that can be read does.
 * `privileged`: holds CAP_SYS_ADMIN, so that the rules for ordinary users do not bind it.
 *
 * Sources: namespaces(7) (max_user_namespaces), Debian's kernel.unprivileged_userns_clone, Ubuntu's
 * kernel.apparmor_restrict_unprivileged_userns (since 23.10: the namespace is made, without any capability in it).
 */
export function findUserNamespaceBlock(root: string, privileged: boolean): UserNamespaceBlock | undefined {
  if (!existsSync(join(root, "proc/self/ns/user")))
    return { what: "the kernel is built without user namespaces", fix: "boot a kernel with CONFIG_USER_NS=y" };
  if (readNumber(join(root, "proc/sys/user/max_user_namespaces")) === 0)
    return { what: "user.max_user_namespaces is 0", fix: "sysctl user.max_user_namespaces=63359" };
  if (privileged) return undefined;
  if (readNumber(join(root, "proc/sys/kernel/unprivileged_userns_clone")) === 0)
    return { what: "kernel.unprivileged_userns_clone is 0", fix: "sysctl kernel.unprivileged_userns_clone=1" };
  return findAppArmorBlock(root);
}

function findAppArmorBlock(root: string): UserNamespaceBlock | undefined {
  const restricted = readNumber(join(root, "proc/sys/kernel/apparmor_restrict_unprivileged_userns")) === 1;
  if (!restricted || existsSync(join(root, "etc/apparmor.d/brig"))) return undefined;
  const label = readWord(join(root, "proc/self/attr/apparmor/current")) ?? readWord(join(root, "proc/self/attr/current"));
  if (label !== undefined && label !== "unconfined") return undefined; // a profile of its own decides
  return {
    what: "kernel.apparmor_restrict_unprivileged_userns is 1: a user namespace comes without capabilities",
    fix: "give brig a profile with `userns,` in /etc/apparmor.d/brig and load it with apparmor_parser -r, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
  };
}
