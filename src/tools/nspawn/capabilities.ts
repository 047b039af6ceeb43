import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import type { Capabilities } from "../../spec/oci.js";
import type { NspawnOptions } from "./options.js";
import { refuseWords } from "./values.js";

/** What systemd-nspawn leaves a machine (systemd-nspawn(1), --capability=). */
const KEPT = [
  "CAP_AUDIT_CONTROL", "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_IPC_OWNER", "CAP_KILL",
  "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
  "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT", "CAP_SYS_NICE", "CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG",
];

/**
 * Without a user namespace these reach the host itself: the audit log, files that even root may not change, and with
 * CAP_MKNOD its disks.
 */
const REACHING_HOST = new Set(["CAP_AUDIT_CONTROL", "CAP_LINUX_IMMUTABLE", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD"]);

/**
 * The payload's sets.
 * @param own namespaces that are the machine's own
 * @param available those that this process can pass on; the rest are left out, as systemd-nspawn does
 */
export function decideCapabilities(options: NspawnOptions, own: { users: boolean; network: boolean }, available: ReadonlySet<string>): Capabilities {
  const kept = new Set(own.users ? KEPT : KEPT.filter((name) => !REACHING_HOST.has(name)));
  if (own.network) kept.add("CAP_NET_ADMIN");
  for (const name of options.addCapabilities) kept.add(name);
  for (const name of options.dropCapabilities) kept.delete(name);
  const { ambientCapabilities: ambient } = options;
  if (ambient.length > 0 && options.mode === "boot") throw refuseWords("Ambient capabilities are not useful when booting a machine.", "leave --ambient-capability= out");
  for (const name of ambient) if (!kept.has(name)) throw refuseWords(`The ambient capability ${name} is not among those that the machine keeps.`, `add --capability=${name}`);
  const names = CAPABILITY_NAMES.filter((name) => kept.has(name) && (own.users || available.has(name)));
  return { bounding: names, effective: names, permitted: names, inheritable: ambient, ambient };
}
