/** Namespaces as /proc/PID/ns names them; the order is that of launcher/status.h's NAMESPACE_NAMES. */
export const NAMESPACE_FILES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] as const;
export type NamespaceFile = (typeof NAMESPACE_FILES)[number];

/** The first of the descriptors at which a supervisor holds them, for who owns the sandbox: its init hides from everybody. */
export const NAMESPACE_FD = 64;
