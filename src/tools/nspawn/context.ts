import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { HostFacts } from "../../host/facts.js";
import { type MountEntry, parseMountinfo } from "../../host/mountinfo.js";
import { readText, readWord } from "../../host/read-text.js";

/** What systemd-nspawn's words are understood against. */
export interface NspawnContext {
  cwd: string;
  env: Record<string, string | undefined>;
  host: HostFacts;
  /** A bit for each of descriptors 0-2 that is a terminal. */
  terminals: number;
  hostname: string;
  /** The host's /etc/machine-id, which stable choices begin with; "" where there is none. */
  machineId: string;
  readonly mounts: readonly MountEntry[];
  /** Paths that the spec depends on: it is compiled anew when one of them changes. */
  consulted: Set<string>;
  /** A file of the host; noted as consulted. */
  read(path: string): string | undefined;
}

export function readNspawnContext(host: HostFacts, env: Record<string, string | undefined> = process.env): NspawnContext {
  const consulted = new Set<string>();
  let mounts: MountEntry[] | undefined;
  return {
    cwd: process.cwd(),
    env,
    host,
    terminals: host.terminals,
    hostname: hostname(),
    machineId: readWord("/etc/machine-id") ?? "",
    get mounts() {
      return (mounts ??= parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")));
    },
    consulted,
    read: (path) => {
      consulted.add(path);
      return readText(path);
    },
  };
}
