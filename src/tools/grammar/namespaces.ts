import type { NamespaceType } from "../../spec/oci.js";

/** The namespace options that unshare and nsenter share: letter, long name, OCI's type, the file in /proc/PID/ns. */
export interface NamespaceOption {
  letter: string;
  name: string;
  type: NamespaceType;
  file: "mnt" | "uts" | "ipc" | "net" | "pid" | "user" | "cgroup" | "time";
}

export const namespaceOptions: readonly NamespaceOption[] = [
  { letter: "m", name: "mount", type: "mount", file: "mnt" },
  { letter: "u", name: "uts", type: "uts", file: "uts" },
  { letter: "i", name: "ipc", type: "ipc", file: "ipc" },
  { letter: "n", name: "net", type: "network", file: "net" },
  { letter: "p", name: "pid", type: "pid", file: "pid" },
  { letter: "U", name: "user", type: "user", file: "user" },
  { letter: "C", name: "cgroup", type: "cgroup", file: "cgroup" },
  { letter: "T", name: "time", type: "time", file: "time" },
];

/** The entry for an OCI namespace type. */
export function namespaceOption(type: NamespaceType): NamespaceOption {
  return namespaceOptions.find((option) => option.type === type)!;
}
