import { makeCgroupReader } from "../cgroup-facts.js";
import { placeCgroup } from "../cgroup.js";
import { isAtLeast } from "../landlock.js";
import type { Checkup, Finding } from "./finding.js";

const WANTED: readonly { name: string; means: string }[] = [
  { name: "memory", means: "--memory: a payload cannot take all memory" },
  { name: "pids", means: "--pids: a fork bomb stays inside" },
  { name: "cpu", means: "--cpus: a payload cannot take all processor time" },
  { name: "cpuset", means: "--cpuset: a payload stays on some processors" },
  { name: "io", means: "disk bandwidth limits" },
];

/** The layout of cgroups, and for each limit whether this caller can set it on a new sandbox. */
export function checkCgroup({ facts, root }: Checkup): Finding[] {
  const { cgroup } = facts;
  const limits = WANTED.map(({ name, means }): Finding => {
    const { places, problem } = placeCgroup(cgroup, [name], makeCgroupReader(root), facts.euid);
    if (problem && name === "pids" && facts.userNamespaces && isAtLeast(facts.kernel, [5, 14]))
      return { topic: `${name} limit`, state: "ok", what: "no cgroup for it; RLIMIT_NPROC, counted in the sandbox's user namespace, does it", means };
    if (problem) return { topic: `${name} limit`, state: "missing", what: problem.what, means, fix: problem.hint };
    const place = places.find((candidate) => candidate.controllers.length > 0);
    return { topic: `${name} limit`, state: "ok", what: `version ${place?.version}, below ${place?.parent}`, means };
  });
  return [describeLayout(cgroup.layout), ...limits];
}

function describeLayout(layout: "v1" | "v2" | "hybrid" | "none"): Finding {
  const means = "limits on memory, processes and processors; freezing and killing a sandbox as a whole";
  const base = { topic: "cgroup layout", means };
  if (layout === "v2") return { ...base, state: "ok", what: "version 2" };
  if (layout === "none") return { ...base, state: "missing", what: "no hierarchy is mounted", fix: "mount -t cgroup2 none /sys/fs/cgroup" };
  const what = layout === "v1" ? "version 1, which cannot be delegated to ordinary users" : "version 1 controllers beside a version 2 hierarchy; version 1 cannot be delegated to ordinary users";
  return { ...base, state: "limited", what, fix: "boot with systemd.unified_cgroup_hierarchy=1" };
}
