import type { HostFacts } from "../../src/host/facts.js";
import { CAPABILITY_NAMES } from "../../src/host/capabilities.js";

/** A host that a test describes: Linux 6.18 with everything, seen by root. */
export function makeFacts(change: Partial<HostFacts> = {}): HostFacts {
  return {
    euid: 0, egid: 0, groups: [], userName: "root", kernel: [6, 18], userNamespaces: true, userNamespaceBlock: undefined,
    landlockAbi: 7, landlock: { abi: 7 } as HostFacts["landlock"], cgroup: { layout: "none", controllers: {} }, capLast: 40,
    capabilities: new Set(CAPABILITY_NAMES), subuid: [], subgid: [], seccompActions: new Set(["allow", "errno"]),
    kernelLockdown: "none", terminals: 0, hasTool: (name) => `/usr/bin/${name}`, ...change,
  };
}

/** The same seen by an ordinary user. */
export function makeUserFacts(change: Partial<HostFacts> = {}): HostFacts {
  return makeFacts({ euid: 1000, egid: 1000, groups: [1000], userName: "ada", capabilities: new Set(), ...change });
}
