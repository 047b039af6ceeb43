import { BrigError } from "../../error/brig-error.js";
import type { HostFacts } from "../../host/facts.js";
import type { IdRange } from "../../host/subordinate-ids.js";
import { writeExtension } from "../../spec/extension.js";
import type { IdMapping, Spec } from "../../spec/oci.js";

/** A program of the host's that works on a root's files. */
export interface EnclosedCommand {
  /** With the program's absolute path first. */
  args: string[];
  /** "NAME=value". */
  env: string[];
  cwd: string;
  /** For root: host ids that take the place of 0 and up, as a user's own ones do for him. */
  map?: { uids: IdMapping[]; gids: IdMapping[] };
}

/**
 * A spec for work on roots: the host's files, network and identity, but mounts and processes of its own, so that
 * whatever the program mounts or starts is gone with it, killed or not. An ordinary user is root in a user namespace:
 * the own id is 0 there, and the ranges of /etc/subuid are the others.
 */
export function buildEnclosedSpec({ args, env, cwd, map }: EnclosedCommand, host: HostFacts): Spec {
  const maps = map ?? (host.euid === 0 ? undefined : mapOwnIds(host));
  const namespaces = [...(maps ? [{ type: "user" as const }] : []), { type: "mount" as const }, { type: "pid" as const }];
  const spec: Spec = {
    ociVersion: "1.2.0",
    process: { cwd, args, env, ...(maps ? { user: { uid: 0, gid: 0, additionalGids: [] } } : {}) },
    mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] }],
    linux: { namespaces, rootfsPropagation: "rprivate", ...(maps ? { uidMappings: maps.uids, gidMappings: maps.gids } : {}) },
  };
  return writeExtension(spec, { stateless: true, terminal: "plain", init: true, dieWithParent: true, candidates: [args[0]!] });
}

/** 0 is the caller, and what follows are the subordinate ids (subuid(5)). */
function mapOwnIds(host: HostFacts): { uids: IdMapping[]; gids: IdMapping[] } {
  return { uids: mapRange(host, host.euid, host.subuid, "uid"), gids: mapRange(host, host.egid, host.subgid, "gid") };
}

/** Debian's roots have ids up to 65534. */
const WANTED = 65_535;

function mapRange({ euid, userName }: HostFacts, own: number, ranges: readonly IdRange[], kind: "uid" | "gid"): IdMapping[] {
  const range = ranges.find(({ count }) => count >= WANTED);
  if (range) return [{ containerID: 0, hostID: own, size: 1 }, { containerID: 1, hostID: range.start, size: WANTED }];
  throw new BrigError(`user ${userName ?? euid} has no ${WANTED} subordinate ids in /etc/sub${kind}, and a root has files of many owners`, {
    code: "BRIG_CANNOT_MAP_IDS",
    hint: `root gives them: usermod --add-sub${kind}s 100000-165535 ${userName ?? euid}; or do this as root`,
  });
}
