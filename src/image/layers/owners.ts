import type { HostFacts } from "../../host/facts.js";
import type { IdMapping } from "../../spec/oci.js";

/**
 * How a layer's files are owned on the host. "real": by the ids that the archive says, as root can. "mapped": by ids of
 * the user's subordinate ranges, as in the user namespace with these maps. "recorded": all by the user, with the
 * archive's owner and mode in the attribute user.containers.override_stat.
 */
export interface LayerOwners {
  kind: "real" | "mapped" | "recorded";
  /** Of the user namespace in which the files are as the archive says; empty for "real". */
  uidMappings: IdMapping[];
  gidMappings: IdMapping[];
}

/** What this user can do. A container made of the layers needs the same maps, or an idmapped mount of "real" ones. */
export function chooseOwners(host: HostFacts): LayerOwners {
  if (host.euid === 0 && host.capabilities.has("CAP_CHOWN")) return { kind: "real", uidMappings: [], gidMappings: [] };
  const canMap = host.subuid.length > 0 && host.subgid.length > 0 && host.hasTool("newuidmap") !== undefined && host.hasTool("newgidmap") !== undefined;
  return {
    kind: canMap ? "mapped" : "recorded",
    uidMappings: mapIds(host.euid, canMap ? host.subuid : []),
    gidMappings: mapIds(host.egid, canMap ? host.subgid : []),
  };
}

/** The user's own id is 0 inside; the subordinate ranges follow from 1 on. */
function mapIds(own: number, ranges: HostFacts["subuid"]): IdMapping[] {
  let next = 1;
  const rest = ranges.map(({ start, count }) => {
    const mapping = { containerID: next, hostID: start, size: count };
    next += count;
    return mapping;
  });
  return [{ containerID: 0, hostID: own, size: 1 }, ...rest];
}
