import { CAPABILITY_NAMES } from "../host/capabilities.js";
import { parseCapabilities } from "../policy/parse/capability.js";
import type { HostConfig } from "./model.js";

/** What Docker leaves to a container's root. Here they hold in the container's own user namespace alone. */
const DEFAULT =
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split(" ").map((name) => `CAP_${name}`);

/** @throws BrigError BRIG_BAD_VALUE for a name that is none */
export function chooseCapabilities({ CapAdd, CapDrop, Privileged }: HostConfig): string[] {
  if (Privileged) return [...CAPABILITY_NAMES];
  const dropsAll = CapDrop.some((name) => name.toLowerCase() === "all");
  const dropped = new Set(parseCapabilities(CapDrop.filter((name) => name.toLowerCase() !== "all"), "cap-drop"));
  const added = parseCapabilities(CapAdd, "cap-add");
  const kept = dropsAll ? [] : DEFAULT.filter((name) => !dropped.has(name));
  return [...new Set([...kept, ...added.filter((name) => dropsAll || !dropped.has(name))])];
}
