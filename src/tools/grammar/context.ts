import { closeSync, constants, openSync, statSync } from "node:fs";
import { readAccounts, type Accounts } from "../../host/accounts.js";
import type { HostFacts } from "../../host/facts.js";
import { readText } from "../../host/read-text.js";
import type { IdRange } from "../../host/subordinate-ids.js";

/** What a tool's words are understood against: who calls, where, and what the host says of ids. */
export interface ToolContext {
  cwd: string;
  env: Record<string, string | undefined>;
  euid: number;
  egid: number;
  /** The host's users and groups. */
  accounts: Accounts;
  /** The caller's ranges in /etc/subuid and /etc/subgid. */
  subordinate: { uid: readonly IdRange[]; gid: readonly IdRange[] };
  /** The number of the last capability that the kernel knows. */
  capLast: number;
  /** The caller has CAP_SYS_ADMIN in its user namespace. */
  privileged: boolean;
  /** Opens a file for reading and closes it; the error of node:fs when that fails. */
  probe(path: string): NodeJS.ErrnoException | undefined;
  /** What identifies the namespace behind a file (device and inode), or undefined when it cannot be seen. */
  namespaceId(path: string): string | undefined;
}

/** The context of this process. */
export function readToolContext(host: HostFacts): ToolContext {
  return {
    cwd: process.cwd(),
    env: process.env,
    euid: host.euid,
    egid: host.egid,
    accounts: readAccounts(readText),
    get subordinate() {
      return { uid: host.subuid, gid: host.subgid };
    },
    get capLast() {
      return host.capLast;
    },
    get privileged() {
      return host.capabilities.has("CAP_SYS_ADMIN");
    },
    probe: probeFile,
    namespaceId,
  };
}

function probeFile(path: string): NodeJS.ErrnoException | undefined {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function namespaceId(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
