import { readAccounts } from "../../src/host/accounts.js";
import type { ToolContext } from "../../src/tools/grammar/context.js";

const files: Record<string, string> = {
  "/etc/passwd": "root:x:0:0::/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\n",
  "/etc/group": "root:x:0:\nalice:x:1000:\naudio:x:29:alice\n",
};

/** A caller that is described and not the one who runs the tests. */
export function makeContext(changes: Partial<ToolContext> = {}): ToolContext {
  return {
    cwd: "/home/alice",
    env: { PATH: "/usr/bin:/bin", SHELL: "/bin/bash", LANG: "C.UTF-8" },
    euid: 1000,
    egid: 1000,
    accounts: readAccounts((path) => files[path]),
    subordinate: { uid: [{ start: 100000, count: 65536 }], gid: [{ start: 200000, count: 65536 }] },
    capLast: 40,
    privileged: false,
    probe: () => undefined,
    namespaceId: (path) => path,
    ...changes,
  };
}
