import type { Problem } from "./describe-issues.js";
import type { NamespaceType } from "./oci.js";

/** sysctl(5) names by the namespace that they belong to, as runc and crun have it; all others are the whole host's. */
const NAMESPACED: readonly [RegExp, NamespaceType][] = [
  [/^net\./, "network"],
  [/^fs\.mqueue\./, "ipc"],
  [/^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|auto_msgmni|msg_next_id|sem_next_id|shm_next_id)$/, "ipc"],
  [/^kernel\.(hostname|domainname)$/, "uts"],
  [/^user\./, "user"],
];

/** Each name is one of a namespace that is new: setting it anywhere else would set it for the host. */
export function checkSysctl(sysctl: Readonly<Record<string, string>>, isNew: (type: NamespaceType) => boolean): Problem[] {
  return Object.keys(sysctl).flatMap((name) => {
    const text = checkName(name, isNew);
    return text === undefined ? [] : [{ path: ["linux", "sysctl", name], text }];
  });
}

function checkName(name: string, isNew: (type: NamespaceType) => boolean): string | undefined {
  const dotted = normalizeSysctl(name);
  if (dotted === undefined) return "is not a sysctl's name";
  const type = NAMESPACED.find(([shape]) => shape.test(dotted))?.[1];
  if (type === undefined) return "belongs to no namespace: it would change the host";
  return isNew(type) ? undefined : `needs a new ${type} namespace: it would change another one's`;
}

/**
 * "net/ipv4/conf/eth0.1/forwarding" → "net.ipv4.conf.eth0/1.forwarding", as sysctl(8): with a slash as the first
 * separator, the two signs change places. Undefined for a name with an empty part or one that climbs.
 */
export function normalizeSysctl(name: string): string | undefined {
  const slashed = /^[^.]*\//.test(name);
  const dotted = slashed ? name.replaceAll(/[./]/g, (sign) => (sign === "." ? "/" : ".")) : name;
  const parts = dotted.split(".");
  return parts.length > 1 && parts.every((part) => /^[\w/:@-]+$/.test(part) && !/^\/+$/.test(part)) ? dotted : undefined;
}
