import { existsSync } from "node:fs";
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { isAtLeast } from "../landlock.js";
import { readNumber } from "../read-text.js";
import type { Checkup, Finding } from "./finding.js";

const USER_NAMESPACES_MEAN = "the payload gets an identity that is nobody outside; an ordinary user can make sandboxes at all";

/** User namespaces, the other seven kinds, and what stands in /etc/subuid and /etc/subgid. */
export function checkNamespaces(checkup: Checkup): Finding[] {
  return [checkUserNamespaces(checkup), checkKinds(checkup), checkTime(checkup), checkSubordinateIds(checkup)];
}

function checkUserNamespaces({ facts, probe, root }: Checkup): Finding {
  const topic = "user namespaces";
  const base = { topic, means: USER_NAMESPACES_MEAN, required: true } as const;
  const block = facts.userNamespaceBlock;
  if (block) return { ...base, state: "missing", what: block.what, fix: block.fix };
  if (probe.user_namespace) {
    const answer = getSystemErrorName(-probe.user_namespace);
    const fix = "look for what forbids it: a container's seccomp filter, a chroot, or an AppArmor or SELinux rule (dmesg | tail)";
    return { ...base, state: "missing", what: `the kernel answers ${answer} when one is made`, fix };
  }
  const limit = readNumber(join(root, "proc/sys/user/max_user_namespaces"));
  const tried = probe.user_namespace === 0 ? "made one" : "nothing forbids them";
  return { ...base, state: "ok", what: `${tried}; at most ${limit ?? "an unknown number"} each user` };
}

function checkKinds({ root }: Checkup): Finding {
  const lacking = ["mnt", "pid", "net", "ipc", "uts", "cgroup"].filter((kind) => !existsSync(join(root, "proc/self/ns", kind)));
  const base = { topic: "other namespaces", means: "own mounts, processes, network, IPC, host name and cgroup view", required: true } as const;
  if (lacking.length === 0) return { ...base, state: "ok", what: "mnt, pid, net, ipc, uts, cgroup" };
  return { ...base, state: "missing", what: `the kernel lacks ${lacking.join(", ")}`, fix: "boot a kernel with CONFIG_NAMESPACES=y and all kinds below it" };
}

function checkTime({ root, facts }: Checkup): Finding {
  const base = { topic: "time namespaces", means: "a sandbox may have its own uptime and monotonic clock" };
  if (existsSync(join(root, "proc/self/ns/time"))) return { ...base, state: "ok", what: "present" };
  const what = isAtLeast(facts.kernel, [5, 6]) ? "the kernel is built without them" : "they came with Linux 5.6";
  return { ...base, state: "limited", what, fix: "boot a kernel of 5.6 or later with CONFIG_TIME_NS=y" };
}

function checkSubordinateIds({ facts }: Checkup): Finding {
  const base = { topic: "subordinate ids", means: "sandboxes with more than one user id inside, such as whole distributions" };
  const user = facts.userName ?? String(facts.euid);
  const most = Math.min(...[facts.subuid, facts.subgid].map((ranges) => ranges.reduce((sum, range) => sum + range.count, 0)));
  if (facts.euid === 0) return { ...base, state: "ok", what: "root maps any range itself" };
  if (most < 65536)
    return {
      ...base,
      state: "limited",
      what: most === 0 ? `${user} has none in /etc/subuid and /etc/subgid` : `${user} has ${most}, which is fewer than 65536`,
      fix: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
    };
  if (facts.hasTool("newuidmap") && facts.hasTool("newgidmap")) return { ...base, state: "ok", what: `${most} for ${user}, with newuidmap` };
  return { ...base, state: "limited", what: `${most} for ${user}, but no newuidmap to map them`, fix: "apt-get install uidmap" };
}
